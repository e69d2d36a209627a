"""TensorFlow on the SavedModel itself, as TensorFlow Serving would run it.

A SavedModel is code: only versions whose manifest agrees with their files get here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.serving.card import SIGNATURES, Card
from grokkeras.serving.errors import UnsoundVersionError


class TensorFlowEngine:
    """One version's SavedModel.

    Args:
        version: the version's folder.
        card: what it takes.

    Raises:
        UnsoundVersionError: it cannot be loaded, or lacks a signature.
    """

    platform = "tensorflow_savedmodel"

    def __init__(self, version: Path, card: Card) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf

        self._constant = tf.constant
        self._input = card.input_name
        try:
            # Kept: the signatures' variables live only as long as the object does.
            self._loaded: Any = tf.saved_model.load(str(version))
            self._signatures = {name: self._loaded.signatures[name] for name in SIGNATURES}
        except Exception as error:  # TensorFlow raises whatever its parts raise
            raise UnsoundVersionError(f"the SavedModel cannot be loaded ({error})") from error

    def run(self, rows: np.ndarray, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Engine`."""
        signature = "class" if tuple(outputs) == ("class",) else "serving_default"
        answers = self._signatures[signature](**{self._input: self._constant(rows)})
        return {name: answers[name].numpy() for name in outputs}
