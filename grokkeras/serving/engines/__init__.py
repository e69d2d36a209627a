"""What computes the answers: ONNX Runtime by default, or TensorFlow on the SavedModel itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from grokkeras.serving.card import Card


class Engine(Protocol):
    """One loaded version."""

    platform: str

    def run(self, rows: np.ndarray, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """The named outputs, a row each.

        Args:
            rows: (n, length), checked.
            outputs: of `card.OUTPUTS`.
        """
        ...


def load_onnx(version: Path, card: Card) -> Engine:
    """A version on ONNX Runtime."""
    from grokkeras.serving.engines.onnx import OnnxEngine

    return OnnxEngine(version, card)


def load_tensorflow(version: Path, card: Card) -> Engine:
    """A version on TensorFlow."""
    from grokkeras.serving.engines.tensorflow import TensorFlowEngine

    return TensorFlowEngine(version, card)


LOADERS: dict[str, Callable[[Path, Card], Engine]] = {
    "onnx": load_onnx,
    "tensorflow": load_tensorflow,
}
