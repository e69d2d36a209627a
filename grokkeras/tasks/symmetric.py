"""Composition in the symmetric group S_n (Power et al. 2022, arXiv 2201.02177, table 1).

The elements are numbered 0..n!-1 in lexicographic order, that of `itertools.permutations`;
(ab)(i) = a(b(i)), and a' is the inverse of a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.modular import two_operands
from grokkeras.tasks.operands import PairLayout
from grokkeras.tasks.options import SplitOptions, read_options
from grokkeras.tasks.permutations import elements, number_of
from grokkeras.tasks.symmetric_structure import SymmetricStructure

OPERATIONS = ("ab", "aba'", "aba")


@dataclass(frozen=True)
class SymmetricOptions(SplitOptions):
    """Options of `symmetric_group`; the fields of the configuration's `task`."""

    degree: int = 5
    operation: str = "ab"
    format: str = "a b ="


@dataclass(frozen=True)
class PermutationCodec:
    """Encodes two permutations, each a string such as "21345" (1 goes to 2) or a number."""

    layout: PairLayout
    degree: int

    def encode(self, **operands: Any) -> np.ndarray:
        """Tokens of a and b, (length,) int32."""
        a, b = two_operands(operands)
        return self.layout.row(self._number("a", a), self._number("b", b))

    def answer(self, label: int) -> str:
        """The permutation as the images of 1, 2, ...: "21345" swaps 1 and 2."""
        return "".join(str(value + 1) for value in elements(self.degree)[label])

    def _number(self, name: str, value: object) -> int:
        digits = "".join(str(i + 1) for i in range(self.degree))
        if isinstance(value, str) and "".join(sorted(value)) == digits:
            return int(number_of(np.array([int(digit) - 1 for digit in value])))
        is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if is_integer and 0 <= value < self.layout.size:  # type: ignore[operator]
            return int(value)  # type: ignore[call-overload]
        raise UserError(
            f"{name} must be an arrangement of the digits {digits}, such as {digits[::-1]!r}, or "
            f"a number from 0 to {self.layout.size - 1}; received {value!r}."
        )


@TASKS.register("symmetric_group")
def symmetric_group(options: object, seed: int) -> TaskData:
    """All pairs of elements of S_n, labelled with the number of ab, aba' or aba.

    Args:
        options: see `SymmetricOptions`.
        seed: of the split.

    Returns:
        The task; num_classes = degree!.

    Raises:
        UserError: degree outside 3..6, or an unknown operation.
    """
    chosen = read_options(SymmetricOptions, options)
    if chosen.degree not in range(3, 7):
        raise UserError(
            f"task.degree must be 3, 4, 5 or 6, received {chosen.degree!r} (S7 would have "
            "25 million pairs)."
        )
    if chosen.operation not in OPERATIONS:
        known = ", ".join(repr(name) for name in OPERATIONS)
        raise UserError(f"Unknown task.operation {chosen.operation!r}. Known: {known}.")
    layout = PairLayout(math.factorial(chosen.degree), chosen.format)
    structure = SymmetricStructure(layout, chosen.degree, chosen.operation)
    x = layout.rows(*layout.all_pairs())
    return TaskData(
        "symmetric_group",
        x,
        structure.labels(x),
        num_classes=layout.size,
        seed=seed,
        vocab_size=layout.vocab_size,
        token_ranges=layout.token_ranges,
        title=f"{chosen.operation} in the symmetric group S{chosen.degree}",
        codec=PermutationCodec(layout, chosen.degree),
        structure=structure,
        **chosen.split(),
    )
