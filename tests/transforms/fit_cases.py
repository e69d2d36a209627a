"""Stock `compile()` and `fit()` with every transform of the registry, on the backend it runs on.

Each function named `case_...` or `slow_case_...` is a test of its own.
"""

from __future__ import annotations

import json
import os
import tempfile

import keras
import numpy as np
from keras import ops

from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from grokkeras.errors import UserError
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.transforms import (
    TRANSFORMS,
    Grokfast,
    NormCap,
    OrthoGrad,
    WeightNorm,
    tell_event,
    with_transforms,
)

BACKEND = keras.backend.backend()

# What a transform needs beyond its defaults; one that is not named here needs nothing.
ARGUMENTS = {
    "clip_global_norm": {"norm": 0.2},
    "grokfast_ma": {"window": 3},
    "layer_learning_rates": {"rates": {"hidden": 0.5, "head": 2.0}},
    "norm_cap": {"factor": 0.9},
}


def adamw(**arguments):
    return keras.optimizers.AdamW(0.02, weight_decay=0.1, **arguments)


def make(name, inner=None):
    return TRANSFORMS.get(name)(inner or adamw(), **ARGUMENTS.get(name, {}))


def everything(inner):
    """All transforms of the registry around one optimizer, OrthoGrad before coupled decay."""
    names = sorted(TRANSFORMS.names(), key=lambda name: name != "orthograd")
    return with_transforms(inner, [{"name": n, **ARGUMENTS.get(n, {})} for n in names])


def data():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 11, (96, 2)).astype("int32")
    return x, x.sum(axis=1) % 11


def model(optimizer=None, **compile_arguments):
    tokens = keras.Input((2,), dtype="int32")
    x = keras.layers.Embedding(11, 8, name="embedding")(tokens)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(16, activation="relu", name="hidden")(x)
    built = keras.Model(tokens, keras.layers.Dense(11, name="head", dtype="float32")(x))
    rng = np.random.default_rng(2)
    built.set_weights([rng.normal(0, 0.3, w.shape) * (w.ndim > 1) for w in built.get_weights()])
    if optimizer is not None:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        built.compile(optimizer=optimizer, loss=loss, **compile_arguments)
    return built


def fit(built, epochs=3, **arguments):
    x, y = data()
    return built.fit(
        x, y, batch_size=32, shuffle=False, epochs=epochs, verbose=0, **arguments
    ).history


def weights(built):
    return np.concatenate([w.ravel() for w in built.get_weights()])


def state(built):
    return [ops.convert_to_numpy(v) for v in built.optimizer.variables]


def trained(optimizer, epochs=3, **compile_arguments):
    built = model(optimizer, **compile_arguments)
    fit(built, epochs)
    return weights(built)


def slow_case_every_transform_trains_in_stock_fit():
    plain = trained(adamw(), epochs=10)
    for name in TRANSFORMS.names():
        built = model(make(name))
        history = fit(built, epochs=10)["loss"]
        assert history[-1] < history[0], (name, history)  # So it is not NaN either.
        assert int(built.optimizer.iterations) == 30, name
        assert np.abs(weights(built) - plain).max() > 1e-4, f"{name} changes nothing"


def case_a_chain_saved_and_resumed_ends_with_the_same_bits():
    resumes_with_the_same_bits(lambda: Grokfast(OrthoGrad(NormCap(adamw(), factor=0.9))))


def slow_case_saved_and_resumed_ends_with_the_same_bits():
    resumes_with_the_same_bits(lambda: everything(Muon(0.01)))
    # Three batches an epoch: the second update is cut in half.
    resumes_with_the_same_bits(lambda: everything(adamw(gradient_accumulation_steps=2)))


def resumes_with_the_same_bits(make_optimizer):
    through = model(make_optimizer())
    fit(through, epochs=4)
    first = model(make_optimizer())
    fit(first, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        first.save(path)
        second = keras.saving.load_model(path)
    assert type(second.optimizer) is type(first.optimizer)
    for one, other in zip(state(first), state(second), strict=True):
        np.testing.assert_array_equal(one, other)
    fit(second, epochs=3)
    np.testing.assert_array_equal(weights(second), weights(through))


def case_configuration_round_trip():
    for name in TRANSFORMS.names():
        one = make(name)
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(one)))
        other = keras.saving.deserialize_keras_object(config)
        assert type(other) is type(one), name
        assert other.get_config() == one.get_config(), name
    scheduled = Grokfast(adamw(), lamb=schedules.Cosine(2.0, 0.5, steps=100))
    again = Grokfast.from_config(scheduled.get_config())
    assert again.lamb == scheduled.lamb


def case_forwards_to_the_inner_optimizer():
    inner = adamw()
    outer = Grokfast(OrthoGrad(inner))
    built = model(outer)
    fit(built)
    assert outer.base_optimizer() is inner
    assert int(outer.iterations) == int(inner.iterations) == 9
    assert float(ops.convert_to_numpy(outer.learning_rate)) == np.float32(0.02)
    outer.learning_rate = 0.5
    assert float(ops.convert_to_numpy(inner.learning_rate)) == 0.5
    outer.weight_decay = 0.7
    assert inner.weight_decay == outer.weight_decay == 0.7
    outer.set_weights([np.zeros_like(value) for value in state(built)])
    assert all(not np.any(value) for value in state(built))


def case_learning_rate_schedule_and_callback():
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.02, 0.0])
    frozen = model(Grokfast(keras.optimizers.SGD(rates)))
    fit(frozen, epochs=2)
    before = weights(frozen)
    fit(frozen, epochs=1)
    np.testing.assert_array_equal(weights(frozen), before)
    stopped = model(Grokfast(adamw()))
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0)
    before = weights(stopped)
    fit(stopped, callbacks=[callback])
    np.testing.assert_array_equal(weights(stopped), before)


def slow_case_gradient_accumulation_is_one_step_with_the_mean():
    """Three batches of 32 with accumulation are one batch of 96."""
    # Not behind Adam, which turns the rounding of a gradient near 0 into a step.
    parts = model(everything(keras.optimizers.SGD(0.05, gradient_accumulation_steps=3)))
    fit(parts, epochs=5)
    whole = model(everything(keras.optimizers.SGD(0.05)))
    x, y = data()
    whole.fit(x, y, batch_size=96, shuffle=False, epochs=5, verbose=0)
    assert int(parts.optimizer.iterations) == int(whole.optimizer.iterations) == 5
    np.testing.assert_allclose(weights(parts), weights(whole), atol=2e-5)


def slow_case_clipnorm_and_average_of_weights_inside():
    clipped = model(Grokfast(keras.optimizers.SGD(0.1, clipnorm=1e-3)))
    before = clipped.get_weights()
    x, y = data()
    clipped.fit(x, y, batch_size=96, epochs=1, verbose=0)
    for old, new in zip(before, clipped.get_weights(), strict=True):
        assert np.linalg.norm(new - old) <= 1e-4 * 1.001
    averaged = model(Grokfast(adamw(use_ema=True, ema_momentum=0.5)))
    fit(averaged)
    plain = model(Grokfast(adamw()))
    fit(plain)
    assert np.abs(weights(averaged) - weights(plain)).max() > 1e-4


def case_loss_scale_optimizer_around():
    plain = trained(Grokfast(keras.optimizers.SGD(0.1)))
    scaled = trained(keras.optimizers.LossScaleOptimizer(Grokfast(keras.optimizers.SGD(0.1))))
    np.testing.assert_allclose(scaled, plain, atol=1e-6)
    try:
        Grokfast(keras.optimizers.LossScaleOptimizer(adamw()))
    except UserError as error:
        assert "Put it outside" in str(error)
    else:
        raise AssertionError("not refused")


def case_loss_scale_optimizer_skips_overflows():
    """A step whose gradients are not finite leaves the transform's state alone."""
    optimizer = keras.optimizers.LossScaleOptimizer(
        Grokfast(keras.optimizers.SGD(1e-4)), initial_scale=2.0**126
    )
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built = model()
    built.compile(optimizer=optimizer, loss=lambda y, logits: 1e3 * cross_entropy(y, logits))
    fit(built, epochs=4)
    assert np.all(np.isfinite(weights(built)))
    assert all(np.all(np.isfinite(value)) for value in state(built))
    assert 0 < int(optimizer.iterations) < 12, int(optimizer.iterations)


def case_compile_puts_loss_scaling_around_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        built = model(Grokfast(adamw()))
        assert isinstance(built.optimizer, keras.optimizers.LossScaleOptimizer)
        assert isinstance(built.optimizer.inner_optimizer, Grokfast)
        history = fit(built, epochs=10)["loss"]
        assert history[-1] < history[0], history  # So it is not NaN either.
    finally:
        keras.config.set_dtype_policy("float32")


def case_weight_decay_scheduler_beside():
    """The callback finds the decay of the optimizer inside, and what it says is what happens."""
    without = model(Grokfast(keras.optimizers.AdamW(0.02, weight_decay=0.0)))
    fit(without)
    scheduled = model(Grokfast(OrthoGrad(adamw())))
    same = model(Grokfast(OrthoGrad(keras.optimizers.AdamW(0.02, weight_decay=0.0))))
    fit(scheduled, callbacks=[WeightDecayScheduler(0.0)])
    fit(same)
    np.testing.assert_array_equal(weights(scheduled), weights(same))
    assert scheduled.optimizer.weight_decay == 0.1
    assert np.abs(weights(same) - weights(without)).max() > 1e-4


def case_weight_decay_scheduler_on_muon():
    """One schedule for the decays of both of its groups."""
    scheduled = model(Muon(0.01, weight_decay=0.3, adam_weight_decay=0.3))
    same = model(Muon(0.01, weight_decay=0.0, adam_weight_decay=0.0))
    fit(scheduled, callbacks=[WeightDecayScheduler(0.0)])
    fit(same)
    np.testing.assert_array_equal(weights(scheduled), weights(same))
    assert np.abs(trained(Muon(0.01, weight_decay=0.3)) - weights(same)).max() > 1e-4


def slow_case_half_precision():
    keras.config.set_dtype_policy("bfloat16")
    try:
        built = model(everything(adamw()))
        loss = fit(built, epochs=4)["loss"]
        assert np.all(np.isfinite(loss)), loss
        assert "16" in str(built.trainable_variables[0].dtype)  # The head is float32.
        for transform in built.optimizer.chain():
            assert all("16" not in str(v.dtype) for v in transform.states), transform.name
    finally:
        keras.config.set_dtype_policy("float32")


def slow_case_several_steps_in_one_call():
    if BACKEND == "torch":
        return  # Keras refuses it there.
    many = trained(everything(adamw()), steps_per_execution=3)
    np.testing.assert_allclose(many, trained(everything(adamw())), atol=1e-4)


def slow_case_around_the_optimizer_of_a_fitted_model():
    """The inner optimizer goes on, its slots included; the transform starts there."""
    built = model(adamw())
    fit(built)
    moments = state(built)
    loss = built.loss
    built.compile(optimizer=Grokfast(built.optimizer, lamb=0.0), loss=loss)
    fit(built)
    assert int(built.optimizer.iterations) == 18
    through = model(adamw())
    fit(through, epochs=6)
    assert len(moments) == len(state(through))
    # lamb 0 changes nothing: so it is the same training, but for TensorFlow's sparse gradients.
    if BACKEND != "tensorflow":
        np.testing.assert_allclose(weights(built), weights(through), atol=2e-5)


def case_norms_are_those_when_the_optimizer_was_built():
    built = model()
    norms = [np.linalg.norm(w) for w in built.get_weights()]
    total = np.sqrt(sum(n * n for n in norms))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built.compile(optimizer=NormCap(keras.optimizers.SGD(1.0)), loss=loss)
    fit(built)
    for before, after in zip(norms, built.get_weights(), strict=True):
        if after.ndim == 2:
            assert np.linalg.norm(after) <= before * (1 + 1e-6)
    held = model(WeightNorm(keras.optimizers.SGD(1.0), scale=0.5))
    fit(held)
    np.testing.assert_allclose(np.linalg.norm(weights(held)), 0.5 * total, rtol=1e-6)


def case_frozen_layer_stays_bit_for_bit():
    rates = {"embedding": 0.0, "head/kernel": 0.0}
    built = model(TRANSFORMS.get("layer_learning_rates")(adamw(), rates))
    before = dict(zip([w.path for w in built.weights], built.get_weights(), strict=True))
    fit(built)
    for variable in built.weights:
        same = np.array_equal(before[variable.path], ops.convert_to_numpy(variable))
        assert same == ("embedding" in variable.path or variable.path == "head/kernel")


def slow_case_noise_follows_seed_and_step():
    one, same = (trained(make("gradient_noise")) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = trained(TRANSFORMS.get("gradient_noise")(adamw(), seed=1))
    assert np.abs(one - other).max() > 1e-4


def case_event_switches_within_the_compiled_step():
    lamb = {"schedule": "on_event", "event": "memorization", "before": 0.0, "after": 50.0}
    built = model(Grokfast(keras.optimizers.SGD(0.01), lamb=lamb))
    same = model(Grokfast(keras.optimizers.SGD(0.01), lamb=0.0))

    class Tell(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                tell_event(self.model.optimizer, "memorization", 6)

    fit(built, epochs=2, callbacks=[Tell()])
    fit(same, epochs=2)
    np.testing.assert_allclose(weights(built), weights(same), atol=1e-7)
    fit(built, epochs=1)
    fit(same, epochs=1)
    assert np.abs(weights(built) - weights(same)).max() > 1e-3
    assert float(ops.convert_to_numpy(built.optimizer.event_steps["memorization"])) == 6


def case_one_trace_for_a_schedule():
    traces = []

    @keras.saving.register_keras_serializable("tests")
    class Counting(Grokfast):
        def transform(self, gradients, variables):
            traces.append(1)
            return super().transform(gradients, variables)

    built = model(Counting(adamw(), lamb=schedules.Cosine(2.0, 0.0, steps=9)))
    fit(built, epochs=1)
    count = len(traces)
    fit(built, epochs=4)
    if BACKEND != "torch":  # PyTorch runs eagerly.
        assert len(traces) == count, (count, len(traces))


def slow_case_chain_by_name():
    chained = with_transforms(adamw(), ["grokfast", {"name": "norm_cap", "factor": 0.9}])
    by_hand = Grokfast(NormCap(adamw(), factor=0.9))
    assert [type(t) for t in chained.chain()] == [Grokfast, NormCap]
    np.testing.assert_array_equal(trained(chained), trained(by_hand))


def case_multi_tensor_path_of_the_inner_optimizer():
    if BACKEND != "torch":
        return
    inner = Grokfast(adamw()).base_optimizer()
    assert type(inner).__module__.startswith("keras.src.backend.torch"), type(inner)


def main(*names):
    return {name: globals()[name] for name in names}
