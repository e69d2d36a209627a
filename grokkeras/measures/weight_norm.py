"""Euclidean norm of the weights: near a model's own critical value when it groks.

Liu et al. 2022, "Omnigrok" (2210.01117): generalising solutions lie in a shell of weight norm, and
weight decay takes the time of the plateau to reach it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def weight_norm(weights: Sequence[np.ndarray]) -> float:
    """Square root of the sum of all squared weights.

    Args:
        weights: arrays of any shapes.
    """
    return math.sqrt(sum(float(np.vdot(w, w)) for w in map(_flat, weights)))


def _flat(weight: np.ndarray) -> np.ndarray:
    # Narrow floats would overflow or round the sum; float32 and float64 are summed as they are.
    wide = weight if weight.dtype in (np.float32, np.float64) else weight.astype("float32")
    return wide.reshape(-1)
