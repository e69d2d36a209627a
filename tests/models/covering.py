"""Few combinations of options in which every pair of values of two options occurs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_CANDIDATES = 60


def covering(options: Mapping[str, Sequence[Any]], seed: int = 0) -> list[dict[str, Any]]:
    """A greedy pairwise covering array: each row the best of some random ones."""
    rng = np.random.default_rng(seed)
    missing = {
        ((one, i), (two, j))
        for one, two in itertools.combinations(options, 2)
        for i in range(len(options[one]))
        for j in range(len(options[two]))
    }
    rows = []
    while missing:
        best: dict[str, int] = {}
        most: set[Any] = set()
        # One pair is put in, so that every row gains something.
        (one, i), (two, j) = min(missing)
        for _ in range(_CANDIDATES):
            row = {name: int(rng.integers(len(values))) for name, values in options.items()}
            row |= {one: i, two: j}
            gained = missing & set(itertools.combinations(row.items(), 2))
            if len(gained) > len(most):
                best, most = row, gained
        missing -= most
        rows.append({name: options[name][place] for name, place in best.items()})
    return rows


def sample(options: Mapping[str, Sequence[Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` random combinations."""
    rng = np.random.default_rng(seed)
    return [
        {name: values[rng.integers(len(values))] for name, values in options.items()}
        for _ in range(count)
    ]
