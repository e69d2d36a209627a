"""The process on the training backend: `python -m grokkeras.export.reference JOB.json`.

It loads the run as a user would, computes the logits that every exported form is held against, and
saves `model.keras`, through which the model reaches TensorFlow.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from grokkeras.export.job import MODEL_FILE, REFERENCE_FILE, Job

BATCH = 1024


def main(path: str) -> None:
    """Runs the job's first half."""
    job = Job.read(path)
    assert job.run is not None
    os.environ["KERAS_BACKEND"] = job.backend
    import grokkeras

    model = grokkeras.load(job.run)
    with np.load(job.scratch / REFERENCE_FILE) as held:
        x = held["x"]
    np.savez(job.scratch / REFERENCE_FILE, x=x, logits=model_logits(model, x, job.from_logits))
    model.save(job.scratch / MODEL_FILE)


def model_logits(model: Any, x: np.ndarray, from_logits: bool = True) -> np.ndarray:
    """(n, classes) float64 logits of a Keras model on the present backend.

    Args:
        model: gives (batch, classes).
        x: (n, length).
        from_logits: whether it gives logits; else probabilities, whose logarithm is taken.
    """
    import keras

    parts = []
    for start in range(0, len(x), BATCH):
        out = model(keras.ops.convert_to_tensor(x[start : start + BATCH]), training=False)
        parts.append(np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(out, "float32"))))
    logits = np.concatenate(parts).astype(np.float64)
    return logits if from_logits else np.log(logits)


if __name__ == "__main__":
    main(sys.argv[1])
