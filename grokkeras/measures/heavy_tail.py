"""Heavy-tail exponent: how slowly the spectrum of a weight matrix falls off.

Martin and Mahoney 2021 (arXiv 1810.01075) fit a power law to the eigenvalues of W'W; exponents
below 2 are taken as a warning of overtraining, and of a collapse after grokking.
"""

from __future__ import annotations

import numpy as np


def heavy_tail_exponent(matrix: np.ndarray) -> float | None:
    """Maximum-likelihood exponent of the upper half of the eigenvalues of W'W.

    The tail begins at the median eigenvalue: alpha = 1 + k / sum(log(x / x_min)) over the k
    eigenvalues above it (Clauset et al. 2009, equation 3.1).

    Args:
        matrix: (rows, columns).

    Returns:
        None where fewer than 10 eigenvalues lie above the median, they are all alike, or an
        entry is not finite.
    """
    matrix = np.asarray(matrix, np.float64)
    if not np.isfinite(matrix).all():
        return None
    values = np.square(np.linalg.svd(matrix, compute_uv=False))
    values = np.sort(values[values > 0])
    if len(values) == 0:
        return None
    least = values[len(values) // 2]
    tail = values[values > least]
    total = float(np.log(tail / least).sum())
    return 1 + len(tail) / total if len(tail) >= 10 and total > 0 else None
