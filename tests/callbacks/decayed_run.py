"""Runs the code of a test of `WeightDecayScheduler` in a process of a backend."""

from __future__ import annotations

import textwrap
from pathlib import Path

from helpers import run_on_backend

HERE = Path(__file__).parent
PRELUDE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import keras, numpy as np
import decayed_model as stock
from decayed_model import RATE, WEIGHTS, far, fit, model, no_gradient, product
from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from helpers import refused

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
        float(np.mean(keras.ops.convert_to_numpy(w) / v))
        for w, v in zip(built.trainable_variables, WEIGHTS, strict=True)
    ]
    return dict(zip([w.path.split("/", 1)[1] for w in built.trainable_variables], shares))

def close(a, b, tolerance=TOLERANCE):
    assert abs(a - b) <= tolerance * max(abs(b), 1), (a, b)
"""


def run(backend: str, code: str) -> str:
    return run_on_backend(backend, PRELUDE + textwrap.dedent(code))
