"""Sparse initial weights: a few connections into each unit (Martens 2010, "Deep learning via
Hessian-free optimization", section 5).

Units then start different from each other and unsaturated however wide their layer is. A grokked
network is sparse too (Merrill et al. 2023, 2303.11873), so this begins nearer to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from grokkeras.errors import UserError
from grokkeras.initializers.base import NumpyInitializer, fan_in


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpySparse(NumpyInitializer):
    """Normal weights on `connections` inputs of each unit, drawn anew a unit; 0 elsewhere.

    Their standard deviation is 1 / sqrt(connections), so that a unit's output varies as with dense
    weights of 1 / sqrt(fan in).

    Args:
        seed: see `NumpyInitializer`.
        connections: nonzero weights into each unit; all where the fan in is less.
        scale: factor on the standard deviation.
    """

    def __init__(
        self, seed: int | Sequence[int], connections: int = 15, scale: float = 1.0
    ) -> None:
        super().__init__(seed, scale)
        if connections < 1:
            raise UserError(f"connections must be at least 1. Received {connections}.")
        self.connections = connections

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        rows, units = fan_in(shape), shape[-1]
        kept = min(self.connections, rows)
        # The ranks of random numbers are a random order of the inputs, one a unit.
        ranks = np.argsort(np.argsort(rng.random((rows, units)), axis=0), axis=0)
        numbers = rng.standard_normal((rows, units)) / math.sqrt(kept)
        return np.where(ranks < kept, numbers, 0.0).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "connections": self.connections}
