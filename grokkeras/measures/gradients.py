"""Measures of gradients: their size, their spread, and whether two steps commute.

The gradient's entropy tracks grokking. The commutator defect is that of arXiv 2602.16746, where it
rises 600 to 1,600 steps ahead of grokking in 12 of 12 runs, but at times without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Arrays = Sequence[np.ndarray]


def norm(arrays: Arrays) -> float:
    """Euclidean norm of all numbers together, summed in float64."""
    return math.sqrt(sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays))


def gradient_entropy(gradients: Arrays) -> float:
    """Entropy of the gradient's magnitudes over its entries, 1 if all are equal, 0 if one has all.

    Args:
        gradients: one array a weight.

    Returns:
        -sum p log p / log count, p the magnitudes over their sum; 0 for a gradient of zero.
    """
    none = np.zeros(0)
    sizes = np.concatenate([none, *(np.abs(np.asarray(g, np.float64)).ravel() for g in gradients)])
    total = float(sizes.sum())
    if not total > 0 or len(sizes) < 2:
        return 0.0
    shares = sizes[sizes > 0] / total
    return -float(shares @ np.log(shares)) / math.log(len(sizes))


def commutator_defect(start: Arrays, a: Arrays, b: Arrays, ab: Arrays, ba: Arrays) -> float:
    """How much the order of two steps matters: |AB - BA| / (|A - start| * |B - start|).

    Args:
        start: the weights.
        a, b: the weights after one step on batch A, and on batch B.
        ab, ba: after a step on A and then one on B, and the other way round.

    Returns:
        0 where the loss is linear, or where a step moves nothing.
    """
    steps = norm(_minus(a, start)) * norm(_minus(b, start))
    return norm(_minus(ab, ba)) / steps if steps > 0 else 0.0


def _minus(one: Arrays, other: Arrays) -> list[np.ndarray]:
    return [
        np.asarray(x, np.float64) - np.asarray(y, np.float64)
        for x, y in zip(one, other, strict=True)
    ]
