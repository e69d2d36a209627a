"""Small initial weights: with them a transformer infers rules where it would memorise.

Zhang et al. 2024, "Initialization is Critical to Whether Transformers Fit Composite Functions by
Reasoning or Memorizing" (2405.05409): the standard deviation is (fan in)^-rate, and
rates above 1/2 favour reasoning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from grokkeras.initializers.base import NumpyInitializer, fan_in


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpySmall(NumpyInitializer):
    """Normal initial weights of standard deviation (fan in)^-rate.

    Args:
        seed: see `NumpyInitializer`.
        rate: 1/2 is the usual size, above it is small.
        scale: factor on the standard deviation.
    """

    def __init__(self, seed: int | Sequence[int], rate: float = 0.8, scale: float = 1.0) -> None:
        super().__init__(seed, scale)
        self.rate = rate

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal(shape) * float(fan_in(shape)) ** -self.rate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
