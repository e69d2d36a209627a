"""Values of every schedule on every backend: eager and inside a compiled function."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent

CODE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import warnings
warnings.simplefilter("error", RuntimeWarning)
import keras, numpy as np
from keras import ops
import schedule_cases as cases
from grokkeras import schedules
from grokkeras.schedules import SCHEDULES

BACKEND = keras.backend.backend()

def compiled(function):
    "Traced once; the arguments are symbols in it. PyTorch compiles nothing."
    if BACKEND == "jax":
        import jax
        return jax.jit(function)
    if BACKEND == "tensorflow":
        import tensorflow as tf
        return tf.function(function, jit_compile=True, autograph=False)
    return function

def steps_of(number):
    yield number
    yield np.int64(number)
    yield np.float32(number)
    yield ops.convert_to_tensor(number, dtype="int32")
    yield keras.Variable(number, dtype="int32", trainable=False)

def number(value):
    value = ops.convert_to_tensor(value)
    assert keras.backend.standardize_dtype(value.dtype) == "float32", value
    assert tuple(value.shape) == (), value
    return float(ops.convert_to_numpy(value))

context = cases.Context()
for name in SCHEDULES.names():
    schedule = cases.example(name)
    events = {{k: np.float32(v) for k, v in cases.OUTSIDE["events"].items()}}
    traces = []
    def inside(step, event):
        traces.append(name)
        return schedule(step, {{"memorization": event}}, context)
    jitted = compiled(inside)
    for step, expected in cases.EXAMPLES[name][1].items():
        exact = 1e-6 * max(1.0, abs(expected))
        for given in steps_of(step):
            value = number(schedule(given, events, context))
            assert abs(value - expected) <= exact, (name, step, type(given), value, expected)
        symbol = ops.convert_to_tensor(step, dtype="int32")
        event = ops.convert_to_tensor(events["memorization"])
        value = number(jitted(symbol, event))
        assert abs(value - expected) <= exact, (name, step, value, expected)
    if BACKEND != "torch":
        assert len(traces) == 1, traces

# Both ends of a ramp are met exactly, also where a compiler divides by multiplying.
for kind in (schedules.Linear, schedules.Cosine, schedules.Exponential):
    for steps in (1, 3, 7, 10, 49, 997, 5000, 12345):
        ramp = kind(1.0, 0.1, steps=steps)
        jitted = compiled(lambda step: ramp(step))
        for step in (steps, steps + 1, 10**7):
            assert number(jitted(ops.convert_to_tensor(step))) == np.float32(0.1), (ramp, step)
        assert abs(number(jitted(ops.convert_to_tensor(0))) - 1) < 1e-6

# A staircase changes at its steps and not beside them.
for every in (1, 3, 7, 49, 1000):
    stairs = schedules.Step(1.0, 0.5, every)
    jitted = compiled(lambda step: stairs(step))
    for k in (1, 2, 5, 20):
        before, after = (number(jitted(ops.convert_to_tensor(k * every - d))) for d in (1, 0))
        assert abs(after / 0.5**k - 1) < 1e-5, (every, k, after)
        assert abs(before / 0.5 ** (k - 1) - 1) < 1e-5, (every, k, before)

# Triangles have straight sides.
triangle = schedules.Cyclic(0.0, 1.0, 10, shape="triangle")
assert np.allclose([number(triangle(s)) for s in range(11)],
                   [0, 0.2, 0.4, 0.6, 0.8, 1, 0.8, 0.6, 0.4, 0.2, 0], atol=1e-6)

# Events: not yet, now, one within the other, in either order.
never = np.float32(np.inf)
inner = schedules.OnEvent("grokking", schedules.Linear(0.0, 1.0, 10), 5.0)
outer = schedules.OnEvent("memorization", -1.0, inner)
for step, memorized, grokked, expected in (
    (0, never, never, -1), (50, never, never, -1), (50, never, 40, -1), (50, 50, never, 0),
    (49, 50, never, -1), (55, 50, never, 0.5), (65, 50, never, 1), (70, 50, 60, 5), (60, 50, 60, 5),
    (59, 50, 60, 0.9), (70, 50, 40, 5),
):
    told = {{"memorization": memorized, "grokking": grokked}}
    value = number(outer(step, told))
    assert abs(value - expected) < 1e-6, (step, memorized, grokked, value)

# Feedback at its edges: no weights, no learning rate.
class Edge:
    def __init__(self, rate, norm):
        self.learning_rate, self.weight_norm = (ops.cast(v, "float32") for v in (rate, norm))

hold = schedules.HoldNorm(3.0, horizon=4)
assert number(hold(0, context=Edge(0.1, 0.0))) == 0
assert number(hold(0, context=Edge(0.1, 3.0))) == 0
assert abs(number(hold(0, context=Edge(0.1, 6.0))) - 0.5 / 0.4) < 1e-6
assert np.isfinite(number(hold(0, context=Edge(0.0, 6.0))))
follow = schedules.WithLearningRate(2.0, 0.1, power=-1)
assert abs(number(follow(0, context=Edge(0.05, 1.0))) - 4) < 1e-6
assert np.isfinite(number(follow(0, context=Edge(0.0, 1.0))))

# Keras' own.
from grokkeras.schedules.adapters import FromKeras
keras_own = FromKeras(keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0))
assert abs(number(compiled(lambda step: keras_own(step))(ops.convert_to_tensor(4))) - 0.6) < 1e-6
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_on_a_backend(backend):
    run_on_backend(backend, CODE)
