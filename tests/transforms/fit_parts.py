"""A small model for stock `fit`, and every transform of the registry."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from grokkeras.optimizers.transforms import (
    TRANSFORMS,
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
