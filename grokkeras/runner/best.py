"""The best weights so far: best validation accuracy, then lower validation loss, then earlier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def score(record: Mapping[str, Any]) -> tuple[float, float, int]:
    """An evaluation's rank, larger is better: (accuracy, -loss, -step); NaN ranks lowest."""
    accuracy, loss = record["val_accuracy"], record["val_loss"]
    return (
        -math.inf if math.isnan(accuracy) else accuracy,
        -math.inf if math.isnan(loss) else -loss,
        -record["step"],
    )


class Best:
    """Keeps a copy of the best weights.

    Attributes:
        step: the evaluation they are from; None before the first.
        weights: name to array.
    """

    def __init__(self) -> None:
        self.step: int | None = None
        self.weights: dict[str, np.ndarray] | None = None
        self._score: tuple[float, float, int] | None = None

    def offer(
        self, record: Mapping[str, Any], copy_weights: Callable[[], dict[str, np.ndarray]]
    ) -> None:
        """Takes the present weights if `record` beats what there was."""
        offered = score(record)
        if self._score is None or offered > self._score:
            self._score = offered
            self.step = record["step"]
            self.weights = copy_weights()

    def state_dict(self) -> dict[str, Any]:
        """All but the weights, JSON-able."""
        return {"step": self.step, "score": self._score}

    def load_state_dict(
        self, state: Mapping[str, Any], weights: dict[str, np.ndarray] | None
    ) -> None:
        """Goes on from `state_dict` and the weights of the same moment."""
        self.step = state["step"]
        self._score = tuple(state["score"]) if state["score"] is not None else None
        # Checkpoints of version 0.1 hold the state of random generators too.
        self.weights = weights and {k: w for k, w in weights.items() if k.startswith("weights/")}
