"""Uniform initial weights, as PyTorch's linear layers have them."""

from __future__ import annotations

import math

import keras
import numpy as np

from grokkeras.initializers.base import NumpyInitializer, fan_in


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpyUniform(NumpyInitializer):
    """Uniform initial weights between -1/sqrt(fan in) and 1/sqrt(fan in).

    What `torch.nn.Linear` starts with, and so most published code: a standard deviation of
    1/sqrt(3 fan in), 0.58 of `normal`'s.

    Args:
        seed: see `NumpyInitializer`.
        scale: factor on every number.
    """

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        bound = 1 / math.sqrt(fan_in(shape))
        return rng.uniform(-bound, bound, shape)
