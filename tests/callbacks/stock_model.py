"""A stock Keras model on a + b mod 23, the same on every backend: what a user might have.

Imported by code that `run_on_backend` runs with `tests/callbacks` on its path.
"""

from __future__ import annotations

import keras
import numpy as np

if keras.backend.backend() == "torch":
    # Threads cost more than they bring on arrays this small, most of all on a busy machine.
    import torch

    torch.set_num_threads(1)

MODULUS = 23
REPEATS = 10


def data(fraction=0.7):
    """(x, y), (x_val, y_val): two one-hots side by side, and the sum."""
    a, b = np.divmod(np.arange(MODULUS**2), MODULUS)
    eye = np.eye(MODULUS, dtype="float32")
    x, y = np.concatenate([eye[a], eye[b]], axis=1), (a + b) % MODULUS
    train, val = np.split(np.random.default_rng(0).permutation(len(x)), [int(fraction * len(x))])
    return (x[train], y[train]), (x[val], y[val])


def model(optimizer=None, width=256, **compile_arguments):
    """Two dense layers, squared in between, which groks within 300 steps of AdamW."""
    built = keras.Sequential(
        [
            keras.Input((2 * MODULUS,)),
            keras.layers.Dense(width, activation=keras.ops.square),
            keras.layers.Dense(MODULUS),
        ]
    )
    rng = np.random.default_rng(1)
    built.set_weights(
        [
            rng.normal(0, 1 / np.sqrt(w.shape[0]), w.shape) * (w.ndim == 2)
            for w in built.get_weights()
        ]
    )
    arguments = {
        "optimizer": optimizer or adamw(),
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "metrics": ["accuracy"],
    }
    built.compile(**(arguments | compile_arguments))
    return built


def adamw(**arguments):
    return keras.optimizers.AdamW(0.01, weight_decay=2.0, beta_2=0.98, **arguments)


def fit(built, callbacks, epochs=60, repeats=REPEATS, **arguments):
    """Full-batch steps, `repeats` an epoch."""
    (x, y), (x_val, y_val) = data()
    return built.fit(
        np.tile(x, (repeats, 1)),
        np.tile(y, repeats),
        batch_size=len(x),
        shuffle=False,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
        **({"validation_data": (x_val, y_val), "validation_batch_size": len(x_val)} | arguments),
    )
