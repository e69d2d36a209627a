"""Normal initial weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from grokkeras.initializers.base import NumpyInitializer, fan_in


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpyNormal(NumpyInitializer):
    """Normal initial weights from a NumPy generator, the same on every backend.

    Args:
        seed: see `NumpyInitializer`.
        stddev: standard deviation; None means 1 / sqrt(fan in), the fan in being the product of
            all axes but the last.
        scale: factor on the standard deviation ("init scale" in Liu et al. 2022, 2210.01117).
    """

    def __init__(
        self, seed: int | Sequence[int], stddev: float | None = None, scale: float = 1.0
    ) -> None:
        super().__init__(seed, scale)
        self.stddev = stddev

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        stddev = 1 / math.sqrt(fan_in(shape)) if self.stddev is None else self.stddev
        return rng.standard_normal(shape) * stddev

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}
