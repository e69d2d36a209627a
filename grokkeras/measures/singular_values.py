"""The singular values of a matrix, from which several measures are taken."""

from __future__ import annotations

import numpy as np


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """Singular values in float64, falling.

    Args:
        matrix: (rows, columns).

    Returns:
        (min(rows, columns),); all NaN where an entry of the matrix is not finite.
    """
    matrix = np.asarray(matrix, np.float64)
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    values: np.ndarray = np.linalg.svd(matrix, compute_uv=False)
    return values
