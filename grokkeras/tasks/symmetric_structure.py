"""What a symmetric group knows of its pairs: the rule, symmetries and how hard they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grokkeras.tasks.operands import PairLayout
from grokkeras.tasks.permutations import elements, inverses, product_table
from grokkeras.tasks.structure import Structure, Symmetry


@dataclass(frozen=True, eq=False)
class TableRows:
    """Maps rows of pairs (a, b) by tables: to (first[a], second[b]), or (first[b], second[a]).

    Attributes:
        layout: of the rows.
        first, second: (n!,) int64, the image of each element.
        answers: (n!,) int64, the image of each label.
        swapped: whether the operands change places.
    """

    layout: PairLayout
    first: np.ndarray
    second: np.ndarray
    answers: np.ndarray
    swapped: bool = False

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The images of rows (n, length)."""
        a, b, operation = self.layout.operands(x)
        if self.swapped:
            a, b = b, a
        return self.layout.rows(self.first[a], self.second[b], operation)

    def labels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The labels of the images of rows x with labels y."""
        return self.answers[y]


@dataclass(frozen=True)
class SymmetricStructure(Structure):
    """See `Structure`.

    The symmetries, with c the answer and g any element but the identity:

        inverse     ab: (b', a') to c'; aba': (a, b') to c'; aba: (a', b') to c'
        conjugate   (gag', gbg') to gcg', since conjugation is an automorphism
        balance     ab alone: (ag, g'b) to c

    Attributes:
        layout: of the rows.
        degree: n of S_n.
        operation: `ab`, `aba'` or `aba`.
    """

    layout: PairLayout
    degree: int
    operation: str

    @cached_property
    def _products(self) -> np.ndarray:
        return product_table(self.degree)

    @cached_property
    def _inverses(self) -> np.ndarray:
        return inverses(self.degree)

    def __getstate__(self) -> dict[str, object]:
        # The tables are quick to make and, for S6, slow to send.
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def labels(self, x: np.ndarray) -> np.ndarray:
        a, b, _ = self.layout.operands(x)
        answers = self._products[a, b]
        if self.operation == "aba'":
            answers = self._products[answers, self._inverses[a]]
        elif self.operation == "aba":
            answers = self._products[answers, a]
        return answers

    def symmetries(self) -> tuple[str, ...]:
        shared = ("inverse", "conjugate")
        return (*shared, "balance") if self.operation == "ab" else shared

    def members(self, name: str) -> Iterator[Symmetry]:
        products, inverse = self._products, self._inverses
        same = np.arange(self.layout.size)
        if name == "inverse":
            first = same if self.operation == "aba'" else inverse
            rows = TableRows(self.layout, first, inverse, inverse, self.operation == "ab")
            yield Symmetry(name, rows, rows.labels)
            return
        for g in range(1, self.layout.size):  # 0 is the identity
            if name == "conjugate":
                by_g = products[products[g], inverse[g]]
                rows = TableRows(self.layout, by_g, by_g, by_g)
            else:
                rows = TableRows(self.layout, products[:, g], products[inverse[g]], same)
            yield Symmetry(name, rows, rows.labels)

    def difficulties(self) -> tuple[str, ...]:
        return ("inversions", "transpositions")

    def difficulty(self, name: str, x: np.ndarray) -> np.ndarray:
        """How far both operands together are from the identity.

        `inversions` counts swaps of neighbours (the length of a permutation), `transpositions`
        swaps of any two (its Cayley distance, n minus the number of cycles).
        """
        far = _inversions(self.degree) if name == "inversions" else _transpositions(self.degree)
        a, b, _ = self.layout.operands(x)
        return (far[a] + far[b]).astype(np.float64)


def _inversions(degree: int) -> np.ndarray:
    rows = elements(degree)
    later = np.triu(np.ones((degree, degree), bool), 1)
    return ((rows[:, :, None] > rows[:, None, :]) & later).sum(axis=(1, 2))


def _transpositions(degree: int) -> np.ndarray:
    rows = elements(degree)
    # Each point takes on the least number that it meets on its cycle; a cycle's own number tells.
    least, reached = np.tile(np.arange(degree), (len(rows), 1)), rows
    for _ in range(degree):
        least = np.minimum(least, reached)
        reached = np.take_along_axis(rows, reached, axis=1)
    return degree - (least == np.arange(degree)).sum(axis=1)
