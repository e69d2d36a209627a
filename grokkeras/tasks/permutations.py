"""Permutations as numbers 0..n!-1, in lexicographic order, that of `itertools.permutations`.

(ab)(i) = a(b(i)), and a' is the inverse of a.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np


def elements(degree: int) -> np.ndarray:
    """The permutations of 0..degree-1 in lexicographic order: (degree!, degree) int64."""
    return np.array(list(permutations(range(degree))))


def number_of(rows: np.ndarray) -> np.ndarray:
    """The numbers of permutations.

    Args:
        rows: (..., degree) permutations of 0..degree-1.

    Returns:
        (...) int64, the place of each in lexicographic order.
    """
    degree = rows.shape[-1]
    powers = degree ** np.arange(degree)[::-1]
    # Read as a number in base `degree`, permutations keep their lexicographic order.
    place = np.zeros(degree**degree, dtype=np.int64)
    codes = elements(degree) @ powers
    place[codes] = np.arange(len(codes))
    return place[rows @ powers]


def product_table(degree: int) -> np.ndarray:
    """(n!, n!) int64: entry [a, b] is the number of ab, which does b first."""
    rows = elements(degree)
    return number_of(rows[:, rows])


def inverses(degree: int) -> np.ndarray:
    """(n!,) int64: the number of each element's inverse."""
    return number_of(np.argsort(elements(degree), axis=1))
