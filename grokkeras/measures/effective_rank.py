"""Effective rank: how many directions a matrix really uses.

Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality": exp of the
entropy of the normalised singular values. A network that generalises needs fewer directions than
one that memorises, so it falls before validation rises.
"""

from __future__ import annotations

import math

import numpy as np

from grokkeras.measures.singular_values import singular_values


def effective_rank(matrix: np.ndarray) -> float:
    """exp(-sum p log p) with p the singular values over their sum.

    Args:
        matrix: (rows, columns).

    Returns:
        Between 1 and min(rows, columns); 0 for a matrix of zeros or without entries; NaN where
        an entry is not finite.
    """
    return rank_of_spectrum(singular_values(matrix))


def rank_of_spectrum(values: np.ndarray) -> float:
    """The effective rank of a matrix with these singular values; see `singular_values`."""
    if not np.isfinite(values).all():
        return math.nan
    total = float(values.sum())
    if not total > 0:
        return 0.0
    shares = values[values > 0] / total
    return math.exp(-float(shares @ np.log(shares)))
