"""Does the share of zeros follow the schedule? In stock compiled `fit`, beside plain Keras.

    KERAS_BACKEND=jax python tests/annealing/dropout_table.py

Prints, for some steps, the rate that was asked for and the share of zeros that a layer after the
dropout measured, when (a) `DropoutScheduler` drives the rate, (b) a stock callback assigns
`layer.rate` before each step, which is what one would write in plain Keras.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import keras
import numpy as np
from keras import ops

from grokkeras import schedules
from grokkeras.callbacks.dropout import DropoutScheduler

ROWS, WIDTH, STEPS = 64, 4096, 40
SHOWN = (0, 1, 5, 10, 15, 20, 25, 30, 35, 39)


class ZeroShare(keras.layers.Layer):
    """Passes its input on and keeps the share of zeros of the last training step."""

    def build(self, shape):
        self.share = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.share.assign(ops.mean(ops.cast(ops.equal(x, 0), "float32")))
        return x


class Record(keras.callbacks.Callback):
    """The measured share after each step."""

    def __init__(self, probe):
        super().__init__()
        self.probe, self.shares = probe, []

    def on_train_batch_end(self, batch, logs=None):
        assert self.model is not None  # on JAX this brings the state up to date
        self.shares.append(float(ops.convert_to_numpy(self.probe.share.value)))


class PlainKeras(keras.callbacks.Callback):
    """What one would write without this package."""

    def __init__(self, layer, schedule):
        super().__init__()
        self.layer, self.schedule = layer, schedule

    def on_train_batch_begin(self, batch, logs=None):
        step = self.model.optimizer.iterations
        self.layer.rate = float(ops.convert_to_numpy(self.schedule(step)))


def measure(make_callback, rate, steps=STEPS, epochs=2, fitted_before=False):
    """Shares of zeros, a step each."""
    probe = ZeroShare()
    dropout = keras.layers.Dropout(rate, seed=1)
    model = keras.Sequential([keras.Input((WIDTH,)), dropout, probe, keras.layers.Dense(1)])
    # Compiled with the backend's own default: XLA on TensorFlow, jit on JAX.
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    x, y = (
        np.ones((ROWS * steps // epochs, WIDTH), "float32"),
        np.zeros((ROWS * steps // epochs, 1)),
    )
    if fitted_before:
        model.fit(x[:ROWS], y[:ROWS], batch_size=ROWS, verbose=0)
        model.optimizer.iterations.assign(0)
    record = Record(probe)
    callbacks = [make_callback(dropout), record]
    model.fit(x, y, batch_size=ROWS, epochs=epochs, verbose=0, callbacks=callbacks)
    return record.shares


def table():
    """`{"step": [...], "schedule": [...], "grokkeras": [...], "plain": [...]}` at `SHOWN`."""
    schedule = schedules.Linear(0.9, 0.0, steps=STEPS)
    ours = measure(lambda layer: DropoutScheduler(schedule), 0.5)
    again = measure(lambda layer: DropoutScheduler(schedule), 0.5, fitted_before=True)
    plain = measure(lambda layer: PlainKeras(layer, schedule), 0.5)
    return {
        "step": list(SHOWN),
        "schedule": [float(ops.convert_to_numpy(schedule(step))) for step in SHOWN],
        "grokkeras": [ours[step] for step in SHOWN],
        "grokkeras, fitted before": [again[step] for step in SHOWN],
        "plain Keras": [plain[step] for step in SHOWN],
    }


def main():
    columns = table()
    if "--json" in sys.argv:
        print(json.dumps(columns))
        return
    print(
        f"Keras {keras.__version__}, {keras.backend.backend()}: share of zeros of {ROWS * WIDTH:,}"
    )
    print(" | ".join(columns))
    for row in zip(*columns.values(), strict=True):
        print(
            " | ".join(f"{value:{len(name)}.4g}" for name, value in zip(columns, row, strict=True))
        )


if __name__ == "__main__":
    main()
