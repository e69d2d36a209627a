"""Heavy-tail exponent: how slowly the spectrum of a weight matrix falls off.

Martin and Mahoney 2021 (arXiv 1810.01075) fit a power law to the eigenvalues of W'W; exponents
below 2 are taken as a warning of overtraining, and of a collapse after grokking.
"""

from __future__ import annotations

import numpy as np

from grokkeras.measures.singular_values import singular_values


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
    return exponent_of_spectrum(singular_values(matrix))


def exponent_of_spectrum(values: np.ndarray) -> float | None:
    """The exponent of a matrix with these singular values; see `singular_values`."""
    if not np.isfinite(values).all():
        return None
    eigenvalues = np.square(values)
    eigenvalues = np.sort(eigenvalues[eigenvalues > 0])
    if len(eigenvalues) == 0:
        return None
    least = eigenvalues[len(eigenvalues) // 2]
    tail = eigenvalues[eigenvalues > least]
    total = float(np.log(tail / least).sum())
    return 1 + len(tail) / total if len(tail) >= 10 and total > 0 else None
