"""Initial weights on one backend; `cases_transfer.py` runs them."""

from __future__ import annotations

import keras
import numpy as np
from transfer_parts import RANGES, numbers, refused

from grokkeras.initializers import (
    INITS,
    NumpyNormal,
    NumpyOrthogonal,
    NumpySmall,
    NumpySparse,
)
from grokkeras.models import MLP, Transformer


def draws():
    """Each initializer on some shapes."""
    found = {}
    for name, shape, made in (
        ("normal", (60, 80), NumpyNormal(3)),
        ("small", (60, 80), NumpySmall((3, 1), rate=0.75, scale=2.0)),
        ("tall", (9, 4), NumpyOrthogonal([3, 2])),
        ("wide", (4, 9), NumpyOrthogonal([3, 3], scale=0.5)),
        ("kernel", (3, 3, 2, 5), NumpyOrthogonal(3)),
        ("sparse", (60, 80), NumpySparse(3, connections=6)),
        ("narrow", (4, 8), NumpySparse(3)),
    ):
        again = keras.initializers.deserialize(keras.initializers.serialize(made))
        values = numbers(made(shape))
        assert np.array_equal(values, numbers(again(shape))), name
        assert again.get_config() == made.get_config()
        assert values.dtype == np.float32
        found[name] = values.tolist()
    return found


def models():
    """A model's weights for each way to draw them."""
    found = {}
    for init in INITS.names():
        options = {"init": init, "init_scale": 2.0, "seed": 5}
        if init == "sparse":
            options["init_connections"] = 4
        model = Transformer(8, 3, 7, RANGES, width=16, mlp_width=32, **options)
        again = Transformer.from_config(model.get_config())
        for one, two in zip(model.weights, again.weights, strict=True):
            assert np.array_equal(numbers(one), numbers(two))
        mlp = MLP(3, 7, 8, RANGES, width=20, **options)
        named = {f"mlp/{w.path}": w for w in mlp.weights} | {w.path: w for w in model.weights}
        found[init] = {name: numbers(weight).tolist() for name, weight in named.items()}
    return found


def foreign(place):
    """A user's model: built, trained in stock `fit`, saved and loaded."""
    place.mkdir(parents=True, exist_ok=True)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, kernel_initializer=NumpyOrthogonal(1)),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "relu", kernel_initializer=NumpySparse(2, connections=3)),
            keras.layers.Dense(8, kernel_initializer=NumpySmall(3)),
            keras.layers.Dense(2, kernel_initializer=NumpyNormal(4, stddev=0.1)),
        ]
    )
    kernels = [numbers(w) for w in model.weights if w.path.endswith("kernel")]
    path = place / "foreign.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    x = np.random.default_rng(0).standard_normal((16, 6, 6, 1)).astype("float32")
    model.compile("adam", "mse")
    history = model.fit(x, x[:, :2, 0, 0], epochs=5, verbose=0).history["loss"]
    return {
        "kernels": [float(np.square(kernel).sum()) for kernel in kernels],
        "nonzero": int((kernels[1] != 0).sum(0).max()),
        "loaded": type(again.layers[0].kernel_initializer).__name__,
        "falls": history[-1] < history[0],
    }


def init_refusals():
    return refused(
        vector=lambda: NumpyOrthogonal(1)((5,)),
        none=lambda: NumpySparse(1, connections=0),
        name=lambda: MLP(3, 7, 8, RANGES, init="ortogonal"),
        stddev=lambda: MLP(3, 7, 8, RANGES, init="small", init_stddev=0.1),
        connections=lambda: MLP(3, 7, 8, RANGES, init_connections=4),
    )
