"""`WeightDecayScheduler` by groups of weights, by feedback and by events, and what it refuses."""

from __future__ import annotations

import pytest
from decayed_run import run
from helpers import BACKENDS

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
def test_groups_and_feedback(backend):
    run(backend, GROUPS + FEEDBACK)


@pytest.mark.parametrize("backend", BACKENDS)
def test_follows_events(backend):
    run(backend, EVENTS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_refuses_before_training(backend):
    run(backend, REFUSALS)
