"""`WeightDecayScheduler` in stock `fit`, in a process a backend."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent
PRELUDE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import keras, numpy as np
import decayed_model as stock
from decayed_model import RATE, WEIGHTS, far, fit, model, no_gradient, product
from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from grokkeras.errors import UserError

BACKEND = keras.backend.backend()
CHANGE = schedules.Piecewise([4], [0.5, 3.0])
TOLERANCE = 1e-6

def adamw(decay=0.1, **arguments):
    return keras.optimizers.AdamW(RATE, weight_decay=decay, **arguments)

def shrunk(decays):
    return [w * product(decays) for w in WEIGHTS]

def left(built):
    "The share that is left of each weight, by path."
    shares = [
        float(np.mean(w.numpy() / v)) if BACKEND == "jax" else
        float(np.mean(keras.ops.convert_to_numpy(w) / v))
        for w, v in zip(built.trainable_variables, WEIGHTS, strict=True)
    ]
    return dict(zip([w.path.split("/", 1)[1] for w in built.trainable_variables], shares))

def close(a, b, tolerance=TOLERANCE):
    assert abs(a - b) <= tolerance * max(abs(b), 1), (a, b)

def refused(call, *words):
    try:
        call()
    except UserError as error:
        for word in words:
            assert word in str(error), (word, str(error))
    else:
        raise AssertionError("not refused")
"""


def run(backend: str, code: str) -> str:
    return run_on_backend(backend, PRELUDE + textwrap.dedent(code))


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

GROUPS = """
# A mask: what is outside is not decayed at all.
for choice in ("kernel", ["hidden/kernel", "out/kernel"], lambda v: len(v.shape) == 2):
    built = model(adamw(0.5), no_gradient)
    fit(built, 4, [WeightDecayScheduler(1.0, variables=choice)])
    shares = left(built)
    close(shares["hidden/kernel"], product([1.0] * 4))
    close(shares["out/kernel"], product([1.0] * 4))
    assert shares["hidden/bias"] == shares["out/bias"] == 1.0

# A value a group; the first pattern that matches decides.
built = model(adamw(0.5), no_gradient)
history = fit(built, 6, [WeightDecayScheduler({"out/kernel": CHANGE, "kernel": 2.0, "bias": 0})])
shares = left(built)
close(shares["out/kernel"], product([0.5] * 4 + [3.0] * 2))
close(shares["hidden/kernel"], product([2.0] * 6))
assert shares["hidden/bias"] == shares["out/bias"] == 1.0
assert history.history["weight_decay/out/kernel"] == [0.5] * 4 + [3.0] * 2
assert history.history["weight_decay/kernel"] == [2.0] * 6

# The optimizer's own exclusions hold.
optimizer = adamw()
optimizer.exclude_from_weight_decay(var_names=["bias"])
built = model(optimizer, no_gradient)
fit(built, 2, [WeightDecayScheduler(1.0)])
assert left(built)["out/bias"] == 1.0
close(left(built)["out/kernel"], product([1.0] * 2))

# Muon: kernels get its own decay, biases that of its AdamW.
def muon(**arguments):
    return model(keras.optimizers.Muon(RATE, **arguments), no_gradient)

built = muon()
logs = fit(built, 6, [WeightDecayScheduler(CHANGE, adam_schedule=schedules.Linear(1, 0, 5))])
shares = left(built)
for layer in ("hidden", "out"):
    close(shares[f"{layer}/kernel"], product([0.5] * 4 + [3.0] * 2))
    close(shares[f"{layer}/bias"], product([1, 0.8, 0.6, 0.4, 0.2, 0]))
assert logs.history["weight_decay"] == [0.5] * 4 + [3.0] * 2
assert np.allclose(logs.history["adam_weight_decay"], [1, 0.8, 0.6, 0.4, 0.2, 0])
assert built.optimizer.weight_decay == built.optimizer.adam_weight_decay == 0.004
# One that is off stays off.
built = muon(adam_weight_decay=None)
fit(built, 2, [WeightDecayScheduler(1.0)])
assert left(built)["out/bias"] == 1.0
close(left(built)["out/kernel"], product([1.0] * 2))
refused(lambda: fit(muon(adam_weight_decay=None), 1, [WeightDecayScheduler(1.0, adam_schedule=1)]),
        "adam_weight_decay", "None")

# Part of a model that is frozen is none of the optimizer's.
built = model(adamw(), no_gradient)
built.layers[0].trainable = False
built.compile(adamw(), no_gradient)
fit(built, 2, [WeightDecayScheduler(1.0)])
share = [float(np.mean(w / v)) for w, v in zip(built.get_weights(), WEIGHTS)]
assert share[:2] == [1, 1]
close(share[2], product([1, 1]))
"""

FEEDBACK = """
# The norm of all decayed weights is drawn to the target: a hundredth of the excess a step.
norm = float(np.sqrt(sum(np.square(w.astype("float64")).sum() for w in WEIGHTS)))
built = model(adamw(), no_gradient)
fit(built, 10, [WeightDecayScheduler(schedules.HoldNorm(0.5 * norm, horizon=5))])
now = float(np.sqrt(sum(np.square(w).sum() for w in built.get_weights())))
close(now, norm * (0.5 + 0.5 * 0.8**10), 1e-5)
# At once with horizon 1; and weights below the target are let alone.
built = model(adamw(), no_gradient)
logs = fit(built, 3, [WeightDecayScheduler(schedules.HoldNorm(0.5 * norm, horizon=1))]).history
assert far(built.get_weights(), [w * 0.5 for w in WEIGHTS]) < 1e-5
built = model(adamw(), no_gradient)
logs = fit(built, 3, [WeightDecayScheduler(schedules.HoldNorm(2 * norm))]).history
assert far(built.get_weights(), WEIGHTS) == 0.0
assert logs["weight_decay"] == [0.0] * 3
# Of a group, its own norm.
kernels = float(np.sqrt(sum(np.square(w).sum() for w in WEIGHTS[::2])))
built = model(adamw(), no_gradient)
hold = schedules.HoldNorm(0.5 * kernels, horizon=1)
fit(built, 2, [WeightDecayScheduler({"kernel": hold, "bias": 0.0})])
close(left(built)["out/kernel"], 0.5, 1e-5)
assert left(built)["out/bias"] == 1.0
"""

EVENTS = """
import stock_model as grokking
from grokkeras.callbacks import GrokkingDetector

def grok(*order, **arguments):
    built = grokking.model(grokking.adamw())
    made = {
        "detector": GrokkingDetector(verbose=0, min_delay=100),
        "scheduler": WeightDecayScheduler(
            schedules.OnEvent("memorization", before=2.0, after=schedules.Linear(2.0, 0.0, 40)),
            **arguments,
        ),
    }
    logs = grokking.fit(built, [made[name] for name in order], epochs=16).history
    return built, made["detector"], logs["weight_decay"]

# Found among the callbacks, before or after; it switches at the evaluation that confirms.
built, detector, decays = grok("detector", "scheduler")
confirmed = detector.events[0].detail["confirmed_step"]
assert 0 < confirmed < 120 and detector.events[0].event == "memorization"
last_updates = [10 * (epoch + 1) - 1 for epoch in range(16)]
expected = [
    2.0 if step < confirmed else max(0.0, 2.0 - 2.0 * (step - confirmed) / 40)
    for step in last_updates
]
assert np.allclose(decays, expected, atol=1e-6), (decays, expected)
later, _, decays = grok("scheduler", "detector")
assert np.allclose(decays, expected, atol=1e-6)
assert far(later.get_weights(), built.get_weights()) == 0.0
# It is what was in the step, not only in the logs: stock Keras, started again where it switched.
stopped = grokking.model(grokking.adamw())
grokking.fit(stopped, [], epochs=confirmed // 10)
late = WeightDecayScheduler(schedules.OnEvent("memorization", 9.9, schedules.Linear(2.0, 0.0, 40)),
                            events={"memorization": confirmed})
grokking.fit(stopped, [late], epochs=16 - confirmed // 10)
assert far(stopped.get_weights(), built.get_weights()) < 1e-5

# Given, when it is not among the callbacks of this fit; a plain Detector does as well.
from grokkeras.detection import Detector
other = Detector(min_delay=1)
for step in (1, 2):
    other.update(step, 1.0, 0.0)
schedule = schedules.OnEvent("memorization", 1.0, 3.0)
built = model(adamw(), no_gradient)
fit(built, 3, [WeightDecayScheduler(schedule, detector=other)])
assert far(built.get_weights(), shrunk([1.0] * 3)) < TOLERANCE
for step in (3, 4, 5):
    other.update(step, 1.0, 0.0)
assert other.memorization_step == 1
fit(built, 4, [WeightDecayScheduler(schedule, detector=other)])
assert far(built.get_weights(), shrunk([1.0] * 5 + [3.0] * 2)) < TOLERANCE

refused(lambda: fit(model(adamw()), 1, [WeightDecayScheduler(schedule)]),
        "memorization", "add a GrokkingDetector", "detector=")
twice = [WeightDecayScheduler(schedule), GrokkingDetector(), GrokkingDetector()]
refused(lambda: fit(model(adamw()), 1, twice), "2 GrokkingDetectors", "detector=")
refused(lambda: WeightDecayScheduler(schedule, events={"memorisation": 3}), "'memorisation'")
"""

REFUSALS = """
from keras import optimizers

def begin(optimizer, *args, **kwargs):
    built = model(optimizer)
    weights = built.get_weights()
    try:
        fit(built, 1, [WeightDecayScheduler(*args, **kwargs)])
    finally:
        # Before training, and the optimizer as it was.
        assert far(built.get_weights(), weights) == 0
        assert "_apply_weight_decay" not in vars(built.optimizer)

refused(lambda: begin(optimizers.Adam(RATE), 1.0), "Adam has weight_decay=None", "weight_decay=0.0")
refused(lambda: begin(optimizers.LossScaleOptimizer(optimizers.SGD(RATE)), 1.0), "SGD")
refused(lambda: begin(adamw(), 1.0, variables="kernal"), "choice of variables", "hidden/kernel")
refused(lambda: begin(adamw(), {"kernel": 1.0, "beta": 0.1}), "'beta'", "hidden/kernel")
refused(lambda: begin(adamw(), {"": 1.0, "bias": 0.1}), "'bias'", "left for it")
refused(lambda: begin(adamw(), 1.0, adam_schedule=2.0), "adam_schedule", "AdamW has none")

refused(lambda: WeightDecayScheduler(-1.0), "0 or more")
refused(lambda: WeightDecayScheduler(schedules.Linear(1.0, -1.0, 5)), "goes down to -1")
refused(lambda: WeightDecayScheduler("cosine"), "a schedule")
refused(lambda: WeightDecayScheduler({"schedule": "cosin"}), "'cosine'")
refused(lambda: WeightDecayScheduler({}), "empty")
refused(lambda: WeightDecayScheduler(1.0, variables=[]), "empty")
refused(lambda: WeightDecayScheduler(1.0, variables=["("]), "regular expressions", "'('")
refused(lambda: WeightDecayScheduler(1.0, variables=[3]), "regular expressions")
refused(lambda: WeightDecayScheduler({"kernel": 1.0}, variables="kernel"), "leave out variables")

two = [WeightDecayScheduler(1.0), WeightDecayScheduler(2.0)]
built = model(adamw())
refused(lambda: fit(built, 1, two), "two WeightDecayScheduler", "mapping")
assert "_apply_weight_decay" not in vars(built.optimizer)

# An optimizer that would not notice is not silently left alone.
class Coupled(optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient + self.weight_decay * variable, variable, learning_rate)

refused(lambda: begin(Coupled(RATE, weight_decay=0.1), 1.0), "Coupled.update_step")

# A subclassed model has no variables before its first step: the refusal comes in that step.
class Late(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(2)
    def call(self, x):
        return self.out(x)

late = Late()
late.compile(adamw(), "mse")
refused(lambda: fit(late, 1, [WeightDecayScheduler(1.0, variables="hidden")]), "/kernel")
late = Late()
late.compile(adamw(), no_gradient)
class Keep(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.weights = self.model.get_weights()
keep = Keep()
fit(late, 3, [WeightDecayScheduler(CHANGE, variables="kernel"), keep])
assert np.allclose(late.get_weights()[0], keep.weights[0] * (1 - RATE * 0.5) ** 2, atol=1e-6)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiles_once_and_gives_the_optimizer_back(backend):
    run(backend, TRACES + BEFORE_AND_AFTER)


@pytest.mark.parametrize("backend", BACKENDS)
def test_follows_the_steps_of_every_kind_of_training(backend):
    run(backend, WAYS + HOST + ("" if backend == "torch" else SEVERAL_STEPS_A_CALL))


@pytest.mark.parametrize("backend", BACKENDS)
def test_groups_and_feedback(backend):
    run(backend, GROUPS + FEEDBACK)


@pytest.mark.parametrize("backend", BACKENDS)
def test_follows_events(backend):
    run(backend, EVENTS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_refuses_before_training(backend):
    run(backend, REFUSALS)
