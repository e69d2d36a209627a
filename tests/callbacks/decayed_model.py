"""A small stock model and every Keras optimizer that decays weights, for the weight decay tests.

Imported by code that `run_on_backend` runs with `tests/callbacks` on its path.
"""

from __future__ import annotations

import inspect

import keras
import numpy as np
from keras import ops

if keras.backend.backend() == "torch":
    # Threads cost more than they bring on arrays this small, most of all on a busy machine.
    import torch

    torch.set_num_threads(1)

RATE = 0.05
_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(8, 4)).astype("float32")
Y = _RNG.normal(size=(8, 2)).astype("float32")
WEIGHTS = [_RNG.normal(size=s).astype("float32") for s in ((4, 3), (3,), (3, 2), (2,))]


def no_gradient(y, outputs):
    """A loss whose gradient is 0: then decay alone moves the weights."""
    return 0.0 * ops.sum(outputs, axis=-1)


def model(optimizer, loss="mse", **compile_arguments):
    """Two dense layers, `hidden` and `out`, always with the same weights."""
    built = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh", name="hidden"),
            keras.layers.Dense(2, name="out"),
        ]
    )
    built.set_weights(WEIGHTS)
    built.compile(optimizer, loss, **compile_arguments)
    return built


def fit(built, steps, callbacks=(), steps_per_epoch=1, **arguments):
    """`steps` batches of all eight examples, so many an epoch."""
    return built.fit(
        np.tile(X, (steps_per_epoch, 1)),
        np.tile(Y, (steps_per_epoch, 1)),
        batch_size=len(X),
        shuffle=False,
        epochs=steps // steps_per_epoch,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    )


def far(weights, expected):
    """The largest difference, as a share of the largest expected weight."""
    largest = max(np.abs(w).max() for w in expected)
    gaps = [np.abs(a - b).max() for a, b in zip(weights, expected, strict=True)]
    return float(max(gaps) / largest)


def product(decays, rate=RATE):
    """What is left of a weight that nothing but decay moves."""
    return float(np.prod([1 - rate * decay for decay in decays]))


def decaying_classes():
    """Keras' optimizers that take a weight decay, by name."""
    classes = {
        name: kind
        for name, kind in vars(keras.optimizers).items()
        if inspect.isclass(kind) and issubclass(kind, keras.optimizers.Optimizer)
    }
    return {
        name: kind
        for name, kind in sorted(classes.items())
        if "weight_decay" in inspect.signature(kind.__init__).parameters and name != "Optimizer"
    }


def make_optimizer(name, decay):
    """A Keras optimizer, or a wrapper of one, with a constant weight decay."""
    kinds = keras.optimizers
    if name == "LossScaleOptimizer(AdamW)":
        return kinds.LossScaleOptimizer(kinds.AdamW(RATE, weight_decay=decay), initial_scale=8.0)
    if name == "MultiOptimizer(AdamW, SGD)":
        sgd = kinds.SGD(RATE, weight_decay=decay)
        default = kinds.AdamW(RATE, weight_decay=decay)
        return kinds.MultiOptimizer(kinds.OptimizerMap(default, {".*out/.*": sgd}))
    kind = decaying_classes()[name]
    more = {"adam_weight_decay": decay} if name == "Muon" else {}
    return kind(learning_rate=RATE, weight_decay=decay, **more)


def parts(optimizer):
    """The optimizers that hold a `weight_decay`."""
    inner = getattr(optimizer, "inner_optimizer", None)
    return [inner] if inner else list(getattr(optimizer, "optimizers", None) or [optimizer])


NAMES = (*decaying_classes(), "LossScaleOptimizer(AdamW)", "MultiOptimizer(AdamW, SGD)")
