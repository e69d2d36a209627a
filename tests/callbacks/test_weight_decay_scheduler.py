"""`WeightDecayScheduler` in stock `fit`: the step it changes, and every kind of training."""

from __future__ import annotations

import pytest
from decayed_run import run
from helpers import BACKENDS

# The step is compiled once, whatever the decay does, and what an earlier fit compiled is not used.
TRACES = """
def traced(optimizer):
    built = model(optimizer, no_gradient)
    built.optimizer.build(built.trainable_variables)
    original, traces = built.train_step, []
    def counting(*args):
        traces.append(1)
        return original(*args)
    built.train_step = counting
    return built, traces

calls = 8 if BACKEND == "torch" else 1
built, traces = traced(adamw())
scheduler = WeightDecayScheduler(schedules.Cyclic(0.0, 2.0, period=8))
fit(built, 8, [scheduler])
assert len(traces) == calls, len(traces)
waves = [1 - np.cos(2 * np.pi * step / 8) for step in range(8)]
assert far(built.get_weights(), shrunk(waves)) < TOLERANCE
# A second fit with the same scheduler finds its compiled step again.
traces.clear()
fit(built, 8, [scheduler])
assert len(traces) == (8 if BACKEND == "torch" else 0), len(traces)
assert far(built.get_weights(), shrunk(waves * 2)) < TOLERANCE
"""

BEFORE_AND_AFTER = """
# A model that was fitted before has its step compiled.
built = model(adamw(0.5), no_gradient)
fit(built, 3)
before = dict(vars(built.optimizer))
variables, function = list(built.optimizer.variables), built.train_function
fit(built, 5, [WeightDecayScheduler(CHANGE)])
decays = [0.5] * 3 + [0.5] + [3.0] * 4
assert far(built.get_weights(), shrunk(decays)) < TOLERANCE

# The optimizer is given back as it was: attributes, variables, the compiled step.
assert vars(built.optimizer).keys() == before.keys()
assert built.optimizer.weight_decay == 0.5 and type(built.optimizer.weight_decay) is float
assert [id(v) for v in built.optimizer.variables] == [id(v) for v in variables]
assert built.train_function is function
del function  # As long as it lives, JAX takes its trace for that of any later `train_step`.
fit(built, 2)
decays += [0.5] * 2
assert far(built.get_weights(), shrunk(decays)) < TOLERANCE

# Another schedule, on the same optimizer, with the same shapes.
fit(built, 2, [WeightDecayScheduler(2.0)])
decays += [2.0] * 2
assert far(built.get_weights(), shrunk(decays)) < TOLERANCE
# A new compile, a new optimizer, an old scheduler.
scheduler = WeightDecayScheduler(CHANGE)
fit(built, 1, [scheduler])
decays += [3.0]
built.compile(adamw(0.25), no_gradient)
fit(built, 2)
decays += [0.25] * 2
fit(built, 3, [scheduler])
decays += [0.5] * 2 + [3.0]
fit(built, 1)
decays += [0.25]
assert far(built.get_weights(), shrunk(decays)) < TOLERANCE
# One scheduler on a second model.
other = model(adamw(0.25), no_gradient)
fit(other, 5, [scheduler])
assert far(other.get_weights(), shrunk([0.5] * 4 + [3.0])) < TOLERANCE
fit(built, 1)
decays += [0.25]
assert far(built.get_weights(), shrunk(decays)) < TOLERANCE

# A fit that was interrupted cannot tell its callbacks: the next scheduler takes over, and
# detach() gives everything back.
class Interrupt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt

for ways in ("take over", "detach", "again"):
    built = model(adamw(0.25), no_gradient)
    fit(built, 1)
    stale = WeightDecayScheduler(schedules.OnEvent("grokking", 3.0, 0.0), events={"grokking": 99})
    try:
        fit(built, 2, [stale, Interrupt()])
    except KeyboardInterrupt:
        pass
    decays = [0.25, 3.0]
    if ways == "take over":
        fit(built, 2, [WeightDecayScheduler(1.5)])
        decays += [1.5] * 2
    elif ways == "again":
        fit(built, 2, [stale])
        decays += [3.0] * 2
    else:
        stale.detach()
        stale.detach()
    fit(built, 2)
    decays += [0.25] * 2
    assert far(built.get_weights(), shrunk(decays)) < TOLERANCE, ways
    assert len(built.optimizer.variables) == len(variables), ways
"""

# Eagerly, in float64, with EMA, accumulated, scaled, under a learning rate schedule: steps are
# `optimizer.iterations`.
WAYS = """
built = model(adamw(), no_gradient, run_eagerly=True)
fit(built, 6, [WeightDecayScheduler(CHANGE)])
assert far(built.get_weights(), shrunk([0.5] * 4 + [3.0] * 2)) < TOLERANCE

# Three batches an update; the decay belongs to the update.
built = model(adamw(gradient_accumulation_steps=3), no_gradient)
fit(built, 18, [WeightDecayScheduler(CHANGE)], steps_per_epoch=3)
assert int(built.optimizer.iterations) == 6
assert far(built.get_weights(), shrunk([0.5] * 4 + [3.0] * 2)) < TOLERANCE

# A learning rate that falls: each step's own rate counts.
rates = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.1, 0.02])
built = model(keras.optimizers.AdamW(rates, weight_decay=0.1), no_gradient)
fit(built, 6, [WeightDecayScheduler(CHANGE)])
per_step = [(0.1, 0.5)] * 3 + [(0.02, 0.5)] + [(0.02, 3.0)] * 2
share = np.prod([1 - rate * decay for rate, decay in per_step])
assert far(built.get_weights(), [w * share for w in WEIGHTS]) < TOLERANCE
# And the product of the two held, whatever the rate does.
built = model(keras.optimizers.AdamW(rates, weight_decay=0.1), no_gradient)
fit(built, 6, [WeightDecayScheduler(schedules.WithLearningRate(CHANGE, 0.1, power=-1))])
assert far(built.get_weights(), [
    w * product([0.5] * 4 + [3.0] * 2, rate=0.1) for w in WEIGHTS
]) < TOLERANCE

# Keras' own schedules are schedules.
built = model(adamw(), no_gradient)
fit(built, 6, [WeightDecayScheduler(keras.optimizers.schedules.PolynomialDecay(1.0, 5, 0.0))])
assert far(built.get_weights(), shrunk([1, 0.8, 0.6, 0.4, 0.2, 0])) < TOLERANCE

# A constant schedule is the constant.
built, same = model(adamw()), model(adamw(0.7))
fit(built, 6, [WeightDecayScheduler({"schedule": "constant", "value": 0.7})])
fit(same, 6)
assert far(built.get_weights(), same.get_weights()) < TOLERANCE

# bfloat16 variables.
keras.config.set_dtype_policy("bfloat16")
built, same = model(adamw(), no_gradient), model(adamw(0.5), no_gradient)
keras.config.set_dtype_policy("float32")
fit(built, 3, [WeightDecayScheduler(0.5)])
fit(same, 3)
for ours, theirs in zip(built.get_weights(), same.get_weights(), strict=True):
    assert np.array_equal(ours.astype("float32"), theirs.astype("float32"))
"""

SEVERAL_STEPS_A_CALL = """
built = model(adamw(), no_gradient, steps_per_execution=4)
fit(built, 16, [WeightDecayScheduler(schedules.Linear(0.0, 2.0, steps=10))], steps_per_epoch=8)
assert int(built.optimizer.iterations) == 16
ramp = [min(step / 10, 1) * 2 for step in range(16)]
assert far(built.get_weights(), shrunk(ramp)) < TOLERANCE
refused(lambda: fit(built, 16, [WeightDecayScheduler(lambda step: 0.1)], steps_per_epoch=8),
        "steps_per_execution=4", "schedules.Cosine")
"""

HOST = """
seen = []
def decay(step):
    assert type(step) is int
    seen.append(step)
    return np.float32(0.5) if step < 4 else 3

scheduler = WeightDecayScheduler(decay)
built = model(adamw(), no_gradient)
logs = fit(built, 8, [scheduler], steps_per_epoch=2).history
assert seen == list(range(8)), seen
assert far(built.get_weights(), shrunk([0.5] * 4 + [3.0] * 4)) < TOLERANCE
assert np.allclose(logs["weight_decay"], [0.5, 0.5, 3.0, 3.0]), logs["weight_decay"]
refused(scheduler.check_many_steps, "grokkeras.run", "plain Python callable", "schedules.Cosine")
WeightDecayScheduler(CHANGE).check_many_steps()
for bad in (lambda step: -1, lambda step: float("nan"), lambda step: None):
    refused(lambda: fit(model(adamw()), 2, [WeightDecayScheduler(bad)]), "at step 0", "0 or more")

# Only a host function costs a batch hook, and with it JAX's asynchronous dispatch.
from keras.src import utils
plain = WeightDecayScheduler(CHANGE)
for hook in ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"):
    assert utils.is_default(getattr(plain, hook)), hook
listed = keras.callbacks.CallbackList([plain], add_history=True)
assert listed._async_train or not keras.src.backend.IS_THREAD_SAFE
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiles_once_and_gives_the_optimizer_back(backend):
    run(backend, TRACES + BEFORE_AND_AFTER)


@pytest.mark.parametrize("backend", BACKENDS)
def test_follows_the_steps_of_every_kind_of_training(backend):
    run(backend, WAYS + HOST + ("" if backend == "torch" else SEVERAL_STEPS_A_CALL))
