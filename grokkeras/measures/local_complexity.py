"""Local complexity: how many linear regions of a network lie around its data.

Humayun et al. 2024 (arXiv 2402.15555): of a small simplex around each input, the units whose
pre-activation changes sign between its corners. It falls around the training data, and later around
all data, as a network groks.
"""

from __future__ import annotations

import numpy as np


def simplex_corners(points: np.ndarray, corners: int, radius: float, seed: int = 0) -> np.ndarray:
    """Corners around each point: along random orthogonal directions, both ways.

    Args:
        points: (n, features).
        corners: how many, an even number, at most twice the features.
        radius: their distance from the point.
        seed: of the directions.

    Returns:
        (n, corners, features).
    """
    generator = np.random.default_rng(seed)
    draws = generator.standard_normal((points.shape[-1], corners // 2))
    directions = np.linalg.qr(draws)[0].T * radius
    return points[:, None, :] + np.concatenate([directions, -directions])


def local_complexity(preactivations: np.ndarray) -> float:
    """Mean number of units whose pre-activation has both signs on the corners around a point.

    Args:
        preactivations: (points, corners, units).
    """
    positive = preactivations > 0
    return float((positive.any(axis=1) & ~positive.all(axis=1)).sum(axis=-1).mean())
