"""Initial weights drawn by NumPy, so that every backend starts from the same numbers.

Keras draws initial weights with the backend's own generator: the same seed gives three different
models. Here a weight's numbers depend on the model's seed and the weight's place in it alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpyNormal(keras.initializers.Initializer):
    """Normal initial weights from a NumPy generator, the same on every backend.

    Args:
        seed: integers that together name the stream, such as `(model seed, place in the model)`.
        stddev: standard deviation; None means 1 / sqrt(fan in), the fan in being the product of
            all axes but the last.
        scale: factor on the standard deviation ("init scale" in Liu et al. 2022, 2210.01117).
    """

    def __init__(
        self, seed: Sequence[int], stddev: float | None = None, scale: float = 1.0
    ) -> None:
        self.seed = [int(part) for part in seed]
        self.stddev = stddev
        self.scale = scale

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        stddev = self.stddev
        if stddev is None:
            stddev = 1 / math.sqrt(max(1, math.prod(shape[:-1])))
        # Drawn in float64 whatever the dtype, so that precisions too start from the same numbers.
        numbers = np.random.default_rng(self.seed).standard_normal(tuple(shape))
        return ops.convert_to_tensor(numbers * (stddev * self.scale), dtype=dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "stddev": self.stddev, "scale": self.scale}


class InitialWeights:
    """Hands out one `NumpyNormal` a weight, numbered in the order of asking.

    Args:
        seed: the model's seed.
        stddev: as in `NumpyNormal`, for every weight.
        scale: as in `NumpyNormal`, for every weight.
    """

    def __init__(self, seed: int, stddev: float | None = None, scale: float = 1.0) -> None:
        self._seed = seed
        self._stddev = stddev
        self._scale = scale
        self._count = 0

    def next(self, stddev: float | None = None) -> NumpyNormal:
        """The next weight's initializer; `stddev` is what it takes where the model names none."""
        self._count += 1
        chosen = stddev if self._stddev is None else self._stddev
        return NumpyNormal((self._seed, self._count), chosen, self._scale)
