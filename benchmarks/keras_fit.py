"""Stock `keras.Model.compile` and `fit` on the plain Keras models, on any backend.

The backend is KERAS_BACKEND, as always. `fit` keeps one loss an epoch, not one a step; a
full-batch epoch is one step. The examples beyond whole batches are left out, so that `fit` is
spared a second compilation and the odd small step.
"""

from __future__ import annotations

import keras
import numpy as np

from .data import (
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    WEIGHT_DECAY,
    Workload,
    initial_weights,
    training_set,
)
from .plain_mlp import plain_mlp
from .plain_transformer import plain_transformer
from .timing import Run, main


def make_model(workload: Workload, weights: dict[str, np.ndarray]) -> keras.Model:
    """The plain model of a workload, with these weights."""
    p = workload.modulus
    if workload.network == "mlp":
        model = plain_mlp(p, workload.width)
    else:
        model = plain_transformer(
            vocab_size=p + 1,
            length=3,
            num_classes=p,
            width=workload.width,
            num_heads=workload.num_heads,
            mlp_width=workload.mlp_width,
        )
    model.set_weights(list(weights.values()))
    return model


def make_run(
    workload: Workload, form: str, weights: dict[str, np.ndarray] | None = None, seed: int = 0
) -> Run:
    """`fit` in calls of whole epochs: at least as many steps as asked for.

    A step's loss is given as that of its epoch.

    Args:
        workload: what to train.
        form: "fit", the only one.
        weights: initial weights by name; default `initial_weights`.
        seed: of the split and the weights.
    """
    if form != "fit":
        raise ValueError(f"keras_fit has the form 'fit' alone. Received: {form!r}")
    x, y = training_set(workload, seed)
    batch_size = workload.batch_size or len(x)
    steps_per_epoch = len(x) // batch_size
    x, y = x[: steps_per_epoch * batch_size], y[: steps_per_epoch * batch_size]
    model = make_model(workload, weights or initial_weights(workload, seed))
    model.compile(
        optimizer=keras.optimizers.AdamW(
            LEARNING_RATE, weight_decay=WEIGHT_DECAY, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def run(steps: int) -> np.ndarray:
        epochs = -(-steps // steps_per_epoch)
        history = model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        return np.repeat(np.asarray(history.history["loss"], np.float32), steps_per_epoch)

    return run


if __name__ == "__main__":
    main(make_run)
