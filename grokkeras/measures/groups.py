"""What a measure has to know of a task's group: which token is which element, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class CyclicGroup:
    """A task whose answer is the product in a cyclic group, such as addition modulo p.

    Element i of the first operand and j of the second have the answer i + j modulo n. For
    multiplication modulo a prime, element i is a generator's i-th power.

    Attributes:
        first: (n,) tokens of the first operand's elements.
        inputs: (n * n, length) tokens of all pairs, j running fastest.
        answers: (n,) classes of the sums.
        train: (n, n) bool: which pairs are trained on.
        seen: (n, n) bool: those in training and validation, whose labels may be used.
    """

    first: np.ndarray
    inputs: np.ndarray
    answers: np.ndarray
    train: np.ndarray
    seen: np.ndarray

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.first)

    def labels(self) -> np.ndarray:
        """Classes of all pairs, (n, n)."""
        places = np.arange(self.order)
        return self.answers[(places[:, None] + places) % self.order]


@dataclass(frozen=True, eq=False)
class SymmetricGroup:
    """A task over permutations, token k being `permutations[k]`.

    Attributes:
        permutations: (order, degree).
    """

    permutations: np.ndarray

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.permutations)


Group = CyclicGroup | SymmetricGroup


def operand_table(
    paths: Sequence[str], weights: Sequence[np.ndarray], tokens: np.ndarray
) -> np.ndarray | None:
    """The vectors in which a network first writes the first operand, one a token.

    That is its token embedding, or, where tokens enter as one-hot vectors, the rows of the first
    matrix.

    Args:
        paths: of the weights, as Keras names them.
        weights: in the model's order.
        tokens: (n,) of the first operand.

    Returns:
        (n, channels), or None where no matrix has a row a token.
    """
    matrices = [
        (path, weight)
        for path, weight in zip(paths, weights, strict=True)
        if weight.ndim == 2 and len(weight) > int(tokens.max()) and "position" not in path
    ]
    embeddings = [weight for path, weight in matrices if "embedding" in path]
    if embeddings:
        return embeddings[0][tokens]
    return matrices[0][1][tokens] if matrices else None
