"""How a weight of the source becomes one of the model: three methods, one function each.

A method gets both arrays, and gives the new one and in words what it did; `MisfitError` says why
the two do not go together.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from grokkeras.initializers import NumpyOrthogonal
from grokkeras.transfer.listing import size

Method = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, str]]


class MisfitError(Exception):
    """Why a weight cannot be taken, in words that end a sentence."""


def exact(source: np.ndarray, own: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """The source's numbers; both shapes must be the same."""
    if source.shape != own.shape:
        raise MisfitError(f"{size(source.shape)} in the source, {size(own.shape)} here")
    return source, "as it was"


def overlap(source: np.ndarray, own: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """The block that both shapes have, from the first index on; the rest keeps its own values.

    The plain form of growing a network (Chen et al. 2016, Net2Net, 1511.05641): units keep their
    places, new ones start as they would have.
    """
    if source.ndim != own.ndim:
        raise MisfitError(f"{source.ndim} axes in the source, {own.ndim} here")
    if source.shape == own.shape:
        return source, "as it was"
    block = tuple(slice(0, min(pair)) for pair in zip(source.shape, own.shape, strict=True))
    values = own.copy()
    values[block] = source[block]
    shape = size([part.stop for part in block])
    return values, f"the first {shape} of {size(source.shape)}"


def projection(source: np.ndarray, own: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """The source's rows through one random orthogonal matrix, to the width here.

    GrokTransfer (2504.13292) starts the embedding of a large model from a small one's,
    times a matrix that is trained with it. Here the product is what training starts from. To a
    larger width the matrix has orthonormal rows, so that all distances and angles between
    embeddings stay as they were; to a smaller one they stay on average.
    """
    if source.shape == own.shape:
        return source, "as it was"
    if source.ndim != 2 or own.ndim != 2:
        raise MisfitError(f"{source.ndim} and {own.ndim} axes, and only matrices can be projected")
    before, after = source.shape[1], own.shape[1]
    drawn = NumpyOrthogonal((seed, before, after)).draw(
        (before, after), np.random.default_rng([seed, before, after])
    )
    drawn *= math.sqrt(max(1.0, before / after))
    values = source.astype("float64") @ drawn
    return values, f"projected from {size(source.shape)}"


METHODS: dict[str, Method] = {"exact": exact, "overlap": overlap, "projection": projection}
