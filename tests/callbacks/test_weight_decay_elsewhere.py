"""`WeightDecayScheduler` in `grokkeras.run`, on replicas, and beside the package's other parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent

# In `grokkeras.run` many steps are one call, and an evaluation is an epoch's end.
RUN = """
import keras, numpy as np, pathlib, tempfile
import grokkeras
from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from grokkeras.callbacks import GrokkingDetector

class Last(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.weights = self.model.get_weights()

def run(decay, *callbacks, steps=30):
    last = Last()
    grokkeras.run(
        {
            "name": "tiny",
            "backend": keras.backend.backend(),
            "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 7},
            "model": {"name": "mlp", "width": 16},
            "optimizer": {"name": "adamw", "learning_rate": 0.01, "weight_decay": decay},
            "train": {"max_steps": steps, "evaluations_per_decade": 10, "checkpoint_every": None},
            "log": {"tensorboard": False},
        },
        out=pathlib.Path(tempfile.mkdtemp()) / "run",
        callbacks=[*callbacks, last],
    )
    return last.weights

def same(some, others):
    return all(np.allclose(a, b, atol=1e-6) for a, b in zip(some, others, strict=True))

plain = run(5.0)
assert same(plain, run(1.0, WeightDecayScheduler(5.0)))
assert not same(plain, run(1.0))
# A change in mid-run, within a call of several steps.
seen = run(5.0, WeightDecayScheduler(schedules.Piecewise([17], [5.0, 0.0])))
assert not same(plain, seen)
assert same(seen, run(0.0, WeightDecayScheduler(schedules.Piecewise([17], [5.0, 0.0]))))
# An event, told between calls: it is never confirmed at first, then from step 1 on.
detector = GrokkingDetector("loss", "val_loss", 1e-9, 1e-9, verbose=0)
waits = schedules.OnEvent("memorization", 5.0, 0.0)
assert same(plain, run(1.0, WeightDecayScheduler(waits), detector))
detector = GrokkingDetector("loss", "val_loss", 1e9, 1e-9, patience=1, verbose=0)
at_once = run(1.0, WeightDecayScheduler(waits), detector)
confirmed = detector.events[0].detail["confirmed_step"]
expected = schedules.Piecewise([confirmed], [5.0, 0.0])
assert confirmed < 5 and same(at_once, run(1.0, WeightDecayScheduler(expected)))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_in_grokkeras_run(backend):
    run_on_backend(backend, RUN)


BESIDE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import keras, numpy as np
import decayed_model as stock
from decayed_model import RATE, WEIGHTS
from grokkeras import schedules
from grokkeras.callbacks.dropout import DropoutScheduler
from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from grokkeras.optimizers.grokfast import Grokfast
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.orthograd import OrthoGrad

BACKEND = keras.backend.backend()
CHANGE, DECAYS = schedules.Piecewise([4], [0.5, 3.0]), [0.5] * 4 + [3.0] * 4

def adamw():
    return keras.optimizers.AdamW(RATE, weight_decay=0.1)

for optimizer in (
    Grokfast(OrthoGrad(adamw())), keras.optimizers.LossScaleOptimizer(Grokfast(adamw()))
):
    built = stock.model(optimizer, stock.no_gradient)
    stock.fit(built, 8, [WeightDecayScheduler(CHANGE)])
    expected = [w * stock.product(DECAYS) for w in WEIGHTS]
    assert stock.far(built.get_weights(), expected) < 1e-6, optimizer

# AdamW's group of our Muon decays by its own learning rate.
built = stock.model(
    Muon(RATE, adam_lr_ratio=0.5, weight_decay=0.1, adam_weight_decay=0.1), stock.no_gradient
)
stock.fit(built, 8, [WeightDecayScheduler(CHANGE)])
left = [float(np.mean(a / b)) for a, b in zip(built.get_weights(), WEIGHTS, strict=True)]
slow = stock.product(DECAYS, RATE / 2)
assert np.allclose(left, [stock.product(DECAYS), slow, slow, slow], rtol=1e-6), left

# Two callbacks that each change the step: compiled once, whichever comes first.
hidden = keras.layers.Dense(3, name="hidden")
dropped = [keras.Input((4,)), hidden, keras.layers.Dropout(0.5), keras.layers.Dense(2)]
built = keras.Sequential(dropped)
built.set_weights(WEIGHTS)
built.compile(adamw(), stock.no_gradient)
built.optimizer.build(built.trainable_variables)
traces, step = [], built.train_step
def counting(*args):
    traces.append(1)
    return step(*args)
built.train_step = counting
both = [WeightDecayScheduler(2.0), DropoutScheduler(schedules.Linear(0.5, 0.0, 4))]
for callbacks, expected in ((both, 1), (both, 0), (both[::-1], 1), (both[::-1], 0)):
    traces.clear()
    stock.fit(built, 2, callbacks)
    assert BACKEND == "torch" or len(traces) == expected, (len(traces), expected)
assert stock.far(built.get_weights(), [w * stock.product([2.0] * 8) for w in WEIGHTS]) < 1e-6
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_beside_the_other_parts_of_this_package(backend):
    run_on_backend(backend, BESIDE)


def test_on_two_replicas():
    """`tf.distribute.MirroredStrategy` on two virtual processors, each with half of the batch."""
    run_on_backend(
        "tensorflow",
        f"""
        import sys
        sys.path.insert(0, {str(HERE)!r})
        import tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        import keras
        import decayed_model as stock
        from grokkeras import schedules
        from grokkeras.callbacks.weight_decay import WeightDecayScheduler

        schedule = schedules.OnEvent("grokking", schedules.Linear(0.0, 2.0, 4), 3.0)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            optimizer = keras.optimizers.AdamW(stock.RATE, weight_decay=0.1)
            model = stock.model(optimizer, stock.no_gradient, jit_compile=False)
        assert strategy.num_replicas_in_sync == 2
        stock.fit(model, 6, [WeightDecayScheduler(schedule, events={{"grokking": 4}})])
        decays = [0.0, 0.5, 1.0, 1.5, 3.0, 3.0]
        expected = [w * stock.product(decays) for w in stock.WEIGHTS]
        assert stock.far(model.get_weights(), expected) < 1e-6
        assert optimizer.weight_decay == 0.1
        """,
    )
