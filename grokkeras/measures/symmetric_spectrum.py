"""How a table of vectors, one a permutation, spreads over the irreducible representations of S_n.

What frequencies are to a cyclic group, irreducible representations are to any other. Networks that
grok S_5 have been found to keep to a few of them (Chughtai et al. 2023, arXiv 2302.03025; Stander
et al. 2023, arXiv 2312.06581). The characters come from the Murnaghan-Nakayama rule.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

Partition = tuple[int, ...]


def partitions(number: int, largest: int | None = None) -> Iterator[Partition]:
    """The ways to write `number` as a falling sum; each names a representation of S_number."""
    if number == 0:
        yield ()
        return
    for first in range(min(number, largest or number), 0, -1):
        for rest in partitions(number - first, first):
            yield (first, *rest)


@functools.cache
def character(shape: Partition, cycles: Partition) -> int:
    """The character of the representation `shape` on permutations with these cycle lengths."""
    if not cycles:
        return 1
    length, rest = cycles[0], cycles[1:]
    count = len(shape)
    # Beta numbers: to take a rim hook of this length off the diagram is to lower one of them.
    betas = [part + count - 1 - row for row, part in enumerate(shape)]
    total = 0
    for beta in betas:
        lower = beta - length
        if lower < 0 or lower in betas:
            continue
        crossed = sum(lower < other < beta for other in betas)
        left = sorted((lower if other == beta else other for other in betas), reverse=True)
        parts = tuple(value - (count - 1 - row) for row, value in enumerate(left))
        total += (-1) ** crossed * character(tuple(part for part in parts if part), rest)
    return total


def cycle_lengths(permutation: np.ndarray) -> Partition:
    """Lengths of a permutation's cycles, falling."""
    seen: set[int] = set()
    lengths = []
    for start in range(len(permutation)):
        length, at = 0, start
        while at not in seen:
            seen.add(at)
            at = int(permutation[at])
            length += 1
        if length:
            lengths.append(length)
    return tuple(sorted(lengths, reverse=True))


def representation_power(table: np.ndarray, permutations: np.ndarray) -> dict[Partition, float]:
    """Power of each irreducible representation but the trivial one, per dimension it spans.

    Args:
        table: (group order, channels), row k the vector of `permutations[k]`.
        permutations: (group order, degree): every permutation of 0..degree-1 once.

    Returns:
        A partition each, in the order of `partitions`; a table of noise has the same everywhere.
    """
    degree = permutations.shape[1]
    table = np.asarray(table, np.float64)
    # The projection onto a representation's part needs its character on every g h^-1 alone, and
    # the power is the trace of table' P table = d / |G| sum chi(g h^-1) <row g, row h>.
    classes = list(partitions(degree))
    sums = dict.fromkeys(classes, 0.0)
    inner = table @ table.T
    kinds = _kinds(permutations, classes)
    for place, cycles in enumerate(classes):
        sums[cycles] = float(inner[kinds == place].sum())
    power = {}
    for shape in classes:
        if shape == (degree,):
            continue
        dimension = character(shape, (1,) * degree)
        traced = sum(character(shape, cycles) * value for cycles, value in sums.items())
        # The part spans dimension^2 of the functions on the group.
        power[shape] = max(0.0, dimension * traced / len(table)) / dimension**2
    return power


def _kinds(permutations: np.ndarray, classes: list[Partition]) -> np.ndarray:
    """The place in `classes` of the cycle lengths of g h^-1, for every pair: (order, order)."""
    order, degree = permutations.shape
    powers = degree ** np.arange(degree)
    known = {int(row @ powers): classes.index(cycle_lengths(row)) for row in permutations}
    inverses = np.argsort(permutations, axis=1)
    kinds = np.zeros((order, order), np.int8)
    for place, inverse in enumerate(inverses):
        codes = permutations[:, inverse] @ powers  # g after h^-1
        kinds[:, place] = [known[int(code)] for code in codes]
    return kinds
