"""What the initializers have in common: numbers from NumPy, so that every backend gets the same.

Keras draws initial weights with the backend's own generator: the same seed gives three different
models. Here a weight's numbers depend on the seed and the shape alone.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


class NumpyInitializer(keras.initializers.Initializer, abc.ABC):
    """Base of initializers that draw with NumPy's generator.

    One instance gives one weight its numbers: two weights of one shape would get the same.

    Args:
        seed: an integer, or several that together name the stream, such as
            `(model seed, place in the model)`.
        scale: factor on every number ("init scale" in Liu et al. 2022, 2210.01117).
    """

    def __init__(self, seed: int | Sequence[int], scale: float = 1.0) -> None:
        self.seed = [seed] if isinstance(seed, int) else [int(part) for part in seed]
        self.scale = scale

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        # Drawn in float64 whatever the dtype, so that precisions too start from the same numbers.
        numbers = self.draw(tuple(shape), np.random.default_rng(self.seed))
        # A transposed array stays one on PyTorch, whose fused optimizers then pair its numbers with
        # the wrong gradients, without a word.
        contiguous = np.ascontiguousarray(numbers * self.scale)
        return ops.convert_to_tensor(contiguous, dtype=dtype or "float32")

    @abc.abstractmethod
    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The numbers before the factor `scale`, float64."""

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "scale": self.scale}


def fan_in(shape: tuple[int, ...]) -> int:
    """Numbers that each unit of a kernel sums over: the product of all axes but the last."""
    return max(1, math.prod(shape[:-1]))
