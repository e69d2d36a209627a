"""`anneal_dropout` in stock `fit`, in steps of one's own, in our trainer."""

from __future__ import annotations

import keras
import numpy as np
from annealing_parts import (
    BACKEND,
    WIDTH,
    Counted,
    close,
    fit,
    linear,
    number,
    ones,
    probed,
)
from helpers import refused
from keras import layers, ops

from grokkeras import schedules
from grokkeras.annealing import anneal_dropout, optimizer_step


class SetRate(keras.callbacks.Callback):
    """What one writes in plain Keras."""

    def __init__(self, layer, rates):
        super().__init__()
        self.layer, self.rates = layer, rates

    def on_train_batch_begin(self, batch, logs=None):
        assert self.model is not None
        self.layer.rate = self.rates[batch]


def case_plain_keras_freezes_the_rate():
    """Why all this exists. When it fails, Keras has changed, and much here can go."""
    layer = layers.Dropout(0.5)
    model, probe = probed(layer)
    shares = fit(model, probe, 3, SetRate(layer, [0.9, 0.5, 0.1])).shares
    close(shares, [0.9, 0.5, 0.1] if BACKEND == "torch" else [0.9, 0.9, 0.9])


def case_share_of_zeros_follows_the_schedule():
    model, probe = probed(layers.Dropout(0.5))
    anneal_dropout(model, schedules.Linear(0.9, 0.0, steps=9))
    seen = fit(model, probe, 4, epochs=3)
    assert seen.steps == list(range(1, 13))
    close(seen.shares, linear(0.9, 0.0, 9, 12))
    # What is kept is scaled with the rate of its step.
    np.testing.assert_allclose(seen.means, 1.0, atol=5 * np.sqrt(9 / (32 * WIDTH)))


def case_a_change_costs_no_retrace():
    model, probe = probed(layers.Dropout(0.5))
    anneal_dropout(model, Counted(0.9, 0.0, steps=9))
    fit(model, probe, 1)
    Counted.asked = 0
    seen = fit(model, probe, 4, epochs=2)
    close(seen.shares, linear(0.9, 0.0, 9, 9)[1:])
    # PyTorch has no trace: there the schedule is computed in every step.
    assert Counted.asked == (8 if BACKEND == "torch" else 0), Counted.asked


def case_a_model_fitted_before_keeps_weights_and_optimizer():
    layer = layers.Dropout(0.5)
    model, probe = probed(layer, optimizer=keras.optimizers.Adam(1e-4))
    close(fit(model, probe, 3).shares, [0.5] * 3)
    weights = model.get_weights()
    slots = [ops.convert_to_numpy(v.value) for v in model.optimizer.variables]
    anneal_dropout(model, schedules.Linear(0.9, 0.0, steps=9))
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    for before, after in zip(slots, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(before, ops.convert_to_numpy(after.value))
    # The schedule counts the optimizer's steps, of which there were three.
    close(fit(model, probe, 3).shares, linear(0.9, 0.0, 9, 6)[3:])


def case_another_schedule_takes_over():
    layer = layers.Dropout(0.5)
    model, probe = probed(layer)
    first = anneal_dropout(model, schedules.Constant(0.9))
    close(fit(model, probe, 2).shares, [0.9] * 2)
    second = anneal_dropout(model, schedules.Constant(0.2))
    close(fit(model, probe, 2).shares, [0.2] * 2)
    assert second.attached
    assert not first.attached
    # What no longer holds a layer does not touch it.
    first.restore()
    assert second.attached
    close(fit(model, probe, 2).shares, [0.2] * 2)
    second.restore()
    assert type(layer) is layers.Dropout
    close(fit(model, probe, 2).shares, [0.5] * 2)


def case_set_by_hand_between_steps():
    layer = layers.Dropout(0.5)
    model, probe = probed(layer)
    annealed = anneal_dropout(model, 0.3)
    close(fit(model, probe, 2).shares, [0.3] * 2)
    traces = _traces(model)
    seen = fit(model, probe, 3, SetRate(layer, [0.9, 0.5, 0.1]))
    close(seen.shares, [0.9, 0.5, 0.1])
    annealed.set_rate(0.7)
    assert annealed.rate == np.float32(0.7)
    close(fit(model, probe, 2).shares, [0.7] * 2)
    assert _traces(model) == traces


def _traces(model):
    """How often the train function was traced; 0 where that is not told."""
    counter = getattr(model.train_function, "experimental_get_tracing_count", None)
    return counter() if counter else 0


def case_many_steps_in_one_call():
    if BACKEND == "torch":
        return  # PyTorch refuses steps_per_execution above 1.
    model, probe = probed(layers.Dropout(0.5), steps_per_execution=4)
    anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=8))
    close(fit(model, probe, 8).shares, [linear(0.8, 0.0, 8, 8)[k] for k in (3, 7)])


def case_counts_updates_not_batches():
    for optimizer in (
        keras.optimizers.SGD(1e-7, gradient_accumulation_steps=2),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-7), initial_scale=2.0),
    ):
        model, probe = probed(layers.Dropout(0.5), optimizer=optimizer)
        anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
        rates = linear(0.8, 0.0, 4, 6)
        if optimizer.gradient_accumulation_steps:
            rates = [rates[k // 2] for k in range(6)]
        close(fit(model, probe, 6).shares, rates)


def case_mixed_precision():
    layer = layers.Dropout(0.5, dtype="mixed_bfloat16")
    model, probe = probed(layer)
    # bfloat16 has 8 bits: a rate in it would be off by up to 0.002 here.
    anneal_dropout(model, schedules.Linear(0.513, 0.479, steps=3))
    close(fit(model, probe, 4).shares, linear(0.513, 0.479, 3, 4))
    assert layer(ops.ones((2, 2)), training=True).dtype == ops.cast(0, "bfloat16").dtype


def case_eager_steps_and_train_on_batch():
    model, probe = probed(layers.Dropout(0.5), run_eagerly=True)
    anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    close(fit(model, probe, 3).shares, linear(0.8, 0.0, 4, 3))
    model, probe = probed(layers.Dropout(0.5))
    anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    shares = []
    for _ in range(4):
        model.train_on_batch(*ones(32))
        shares.append(number(probe.share))
    close(shares, linear(0.8, 0.0, 4, 4))


class OwnStep(keras.Sequential):
    """Has a `train_step` of its own, which calls Keras'."""

    steps = 0

    def train_step(self, *args, **kwargs):
        type(self).steps += 1
        return super().train_step(*args, **kwargs)


def case_a_train_step_of_ones_own():
    _, probe = probed(layers.Dropout(0.5))
    model = OwnStep([keras.Input((WIDTH,)), layers.Dropout(0.5), probe, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-7), "mse")
    annealed = anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    close(fit(model, probe, 4).shares, linear(0.8, 0.0, 4, 4))
    assert OwnStep.steps
    annealed.restore()
    assert "train_step" not in vars(model)


def case_compiled_or_not_when_annealed():
    model, probe = probed(layers.Dropout(0.5))
    model.optimizer = None
    anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    model.compile(keras.optimizers.SGD(1e-7), "mse")
    close(fit(model, probe, 2).shares, linear(0.8, 0.0, 4, 2))
    # Compiled anew, it has a new optimizer, whose steps begin at 0.
    model.compile(keras.optimizers.SGD(1e-7), "mse")
    close(fit(model, probe, 2).shares, linear(0.8, 0.0, 4, 2))


def case_annealing_a_part_says_to_anneal_the_whole():
    def whole(rate):
        part = keras.Sequential([keras.Input((WIDTH,)), layers.Dropout(0.5)], name="part")
        anneal_dropout(part, rate)
        model = keras.Sequential([keras.Input((WIDTH,)), part, layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    scheduled = whole(schedules.Linear(0.8, 0.0, steps=4))
    refused(lambda: scheduled.fit(*ones(4), verbose=0), "'part'", "on the model that you")
    # A rate that is a variable needs no optimizer.
    whole(0.2).fit(*ones(4), verbose=0)


def case_events_reach_the_step():
    model, probe = probed(layers.Dropout(0.5))
    schedule = schedules.OnEvent("memorization", 0.2, schedules.Linear(0.9, 0.1, steps=4))
    annealed = anneal_dropout(model, schedule)
    assert annealed.needs_events == ("memorization",)
    close(fit(model, probe, 2).shares, [0.2] * 2)
    traces = _traces(model)
    annealed.set_events({"memorization": 3})
    assert abs(annealed.rate_at(2) - 0.2) < 1e-6
    assert abs(annealed.rate_at(4) - 0.7) < 1e-6
    close(fit(model, probe, 4).shares, [0.2, 0.9, 0.7, 0.5])
    annealed.set_events({})
    close(fit(model, probe, 2).shares, [0.2] * 2)
    assert _traces(model) == traces


def case_the_same_seed_draws_the_same_masks():
    def run(seed):
        model, probe = probed(layers.Dropout(0.5, seed=seed))
        anneal_dropout(model, schedules.Linear(0.9, 0.1, steps=4))
        return fit(model, probe, 3).shares

    assert run(1) == run(1) != run(2)


def case_a_step_of_ones_own():
    """Whoever writes a JAX step says what the optimizer's state is; else it is an error."""
    model, probe = probed(layers.Dropout(0.5))
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    x, _ = ones(32)
    if BACKEND != "jax":
        shares = []
        for _ in range(3):
            model(x, training=True)
            optimizer.iterations.assign_add(1)
            shares.append(number(probe.share))
        close(shares, linear(0.8, 0.0, 4, 3))
        return
    import jax

    def forward(state, slots, known):
        weights = [v.value for v in model.trainable_variables]
        if not known:
            return model.stateless_call(weights, state, x, training=True)[1]
        with optimizer_step(optimizer, slots):
            return model.stateless_call(weights, state, x, training=True)[1]

    state = [v.value for v in model.non_trainable_variables]
    slots = [v.value for v in optimizer.variables]
    refused(lambda: jax.jit(forward, static_argnums=2)(state, slots, False), "optimizer_step")
    step = jax.jit(forward, static_argnums=2)
    at = [v.path for v in model.non_trainable_variables].index(probe.share.path)
    shares = []
    for count in range(3):
        state = step(state, [jax.numpy.asarray(count, slots[0].dtype), *slots[1:]], True)
        shares.append(float(state[at]))
    close(shares, linear(0.8, 0.0, 4, 3))


def case_our_own_trainer():
    from grokkeras import models
    from grokkeras.training.program import Recipe, make_program

    x = np.random.default_rng(0).integers(0, 7, (40, 2)).astype("int32")
    y = (x.sum(1) % 7).astype("int32")
    model = models.Transformer(8, 2, 7, width=16, num_heads=2, mlp_width=32, dropout=0.5, seed=0)
    optimizer = keras.optimizers.AdamW(1e-3)
    schedule = schedules.OnEvent("grokking", schedules.Linear(0.9, 0.1, steps=8), 0.3)
    annealed = anneal_dropout(model, schedule, optimizer=optimizer)
    assert len(annealed.changed) == 2, annealed
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    program = make_program(Recipe(model, optimizer, loss, x, y, None, 0))
    losses = program.run(8)
    assert np.isfinite(losses).all()
    program.to_model()
    assert abs(annealed.rate - 0.1) < 1e-6
    annealed.set_events({"grokking": 8})
    program.from_model()
    assert np.isfinite(program.run(2)).all()
    assert abs(annealed.rate - 0.3) < 1e-6
    # Its state is the model's: the event is in what a checkpoint holds.
    state = program.arrays(("state",))
    assert any(array.shape == () and array == 8 for array in state.values()), state
