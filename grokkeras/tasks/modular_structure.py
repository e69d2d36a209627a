"""What modular arithmetic knows of its pairs: the rule, symmetries and how hard they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grokkeras.tasks.modular_operations import OPERATIONS, Affine, affine_maps, symmetry_names
from grokkeras.tasks.operands import PairLayout
from grokkeras.tasks.structure import Structure, Symmetry


@dataclass(frozen=True)
class AffineRows:
    """Maps rows of pairs, each by the affine map of its operation.

    Attributes:
        layout: of the rows.
        maps: one for each operation.
    """

    layout: PairLayout
    maps: tuple[Affine, ...]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The images of rows (n, length)."""
        a, b, operation = self.layout.operands(x)
        matrix = np.array([each.matrix for each in self.maps])[operation]
        shift = np.array([each.shift for each in self.maps])[operation]
        pair = np.stack([a, b], axis=1)
        image = (np.einsum("nij,nj->ni", matrix, pair) + shift) % self.layout.size
        return self.layout.rows(image[:, 0], image[:, 1], operation)

    def labels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The labels of the images of rows x with labels y."""
        factor = np.array([each.factor % self.layout.size for each in self.maps])
        return y * factor[self.layout.operands(x)[2]] % self.layout.size


@dataclass(frozen=True)
class ModularStructure(Structure):
    """See `Structure`. One operation, or several told apart by their token.

    Attributes:
        layout: of the rows.
        operations: keys of `OPERATIONS`, in the order of their tokens.
    """

    layout: PairLayout
    operations: tuple[str, ...]

    @property
    def part_names(self) -> tuple[str, ...]:
        """The operations of a mixture."""
        return self.operations if len(self.operations) > 1 else ()

    def part_of(self, x: np.ndarray) -> np.ndarray:
        return self.layout.operands(x)[2]

    def labels(self, x: np.ndarray) -> np.ndarray:
        a, b, operation = self.layout.operands(x)
        answers = np.zeros(len(x), np.int64)
        for place, name in enumerate(self.operations):
            rows = operation == place
            answers[rows] = OPERATIONS[name](a[rows], b[rows], self.layout.size)
        return answers % self.layout.size

    def symmetries(self) -> tuple[str, ...]:
        """Those that all operations have."""
        first, *others = (symmetry_names(operation) for operation in self.operations)
        return tuple(name for name in first if all(name in names for names in others))

    def members(self, name: str) -> Iterator[Symmetry]:
        families = [affine_maps(name, each, self.layout.size) for each in self.operations]
        for maps in zip(*families, strict=True):
            rows = AffineRows(self.layout, maps)
            yield Symmetry(name, rows, rows.labels)

    def difficulties(self) -> tuple[str, ...]:
        return ("operand_range", "operation") if self.part_names else ("operand_range",)

    def difficulty(self, name: str, x: np.ndarray) -> np.ndarray:
        """`operand_range`: the larger operand. `operation`: the operation's place in the list."""
        a, b, operation = self.layout.operands(x)
        return (operation if name == "operation" else np.maximum(a, b)).astype(np.float64)
