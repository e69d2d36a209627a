"""Loads what the three backends saved, with nothing imported but `grokkeras.models`."""

from __future__ import annotations

import os

os.environ["JAX_ENABLE_X64"] = "1"

from pathlib import Path

import keras
import numpy as np
from calling import logits_of

import grokkeras.models  # noqa: F401  registers the classes

TOKENS = np.stack([*np.divmod(np.arange(49), 7), np.full(49, 7)], 1).astype("int32")


def main(folder):
    files = sorted(Path(folder).glob("*.keras"))
    return {file.stem: lambda file=file: load(file) for file in files}


def load(file):
    model = keras.saving.load_model(file)
    return {
        "logits": logits_of(model, TOKENS[:5], dtype="float64").tolist(),
        "dtypes": [str(keras.backend.standardize_dtype(v.dtype)) for v in model.weights],
        "compute": model.compute_dtype,
    }
