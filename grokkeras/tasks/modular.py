"""Modular arithmetic: all pairs (a, b) of residues, labelled with a op b mod p.

The task of Power et al. 2022 (arXiv 2201.02177), table 1. a stands for x and b for y in the
polynomial operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from grokkeras.errors import UserError, nearest_name
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.modular_operations import OPERATIONS, TITLES
from grokkeras.tasks.modular_structure import ModularStructure
from grokkeras.tasks.operands import PairLayout
from grokkeras.tasks.options import SplitOptions, read_options


@dataclass(frozen=True)
class ModularOptions(SplitOptions):
    """Options of `modular_arithmetic`; the fields of the configuration's `task`."""

    operation: str = "add"
    modulus: int = 97
    format: str = "a b ="


@dataclass(frozen=True)
class ResidueCodec:
    """Encodes two residues; the answer is a residue."""

    layout: PairLayout

    def encode(self, **operands: Any) -> np.ndarray:
        """Tokens of a and b, (length,) int32."""
        return self.layout.row(*self.operands(operands))

    def operands(self, operands: dict[str, Any]) -> tuple[int, int]:
        """The values of a and b.

        Raises:
            UserError: one is missing, no whole number or out of range.
        """
        a, b = two_operands(operands)
        for name, value, first in (("a", a, 0), ("b", b, self.layout.first_b)):
            is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not is_integer or not first <= value < self.layout.size:
                raise UserError(
                    f"{name} must be an integer from {first} to {self.layout.size - 1}, "
                    f"received {value!r}."
                )
        return a, b

    def answer(self, label: int) -> int:
        """The residue itself."""
        return label


def two_operands(operands: dict[str, Any]) -> tuple[Any, Any]:
    """The values of a and b, which must be there and be alone."""
    if sorted(operands) != ["a", "b"]:
        received = ", ".join(sorted(operands)) or "nothing"
        raise UserError(f"Expected the operands a and b, received {received}.")
    return operands["a"], operands["b"]


def is_prime(number: int) -> bool:
    """Whether `number` is prime, by trial division."""
    return number > 1 and all(number % d for d in range(2, int(number**0.5) + 1))


@TASKS.register("modular_arithmetic")
def modular_arithmetic(options: object, seed: int) -> TaskData:
    """All pairs of residues modulo `modulus`; division leaves out b = 0.

    Args:
        options: see `ModularOptions`.
        seed: of the split.

    Returns:
        The task; label a op b mod p, so num_classes = p.

    Raises:
        UserError: unknown operation, modulus below 2, division by a modulus that is not prime.
    """
    chosen = read_options(ModularOptions, options)
    operation, modulus = chosen.operation, chosen.modulus
    check_operation(operation, modulus)
    layout = PairLayout(modulus, chosen.format, first_b=first_b(operation))
    structure = ModularStructure(layout, (operation,))
    x = layout.rows(*layout.all_pairs())
    return TaskData(
        "modular_arithmetic",
        x,
        structure.labels(x),
        num_classes=modulus,
        seed=seed,
        vocab_size=layout.vocab_size,
        token_ranges=layout.token_ranges,
        title=f"{TITLES.get(operation, operation)} mod {modulus}",
        codec=ResidueCodec(layout),
        structure=structure,
        **chosen.split(),
    )


def first_b(operation: str) -> int:
    """The smallest value that the second operand can take."""
    return 1 if operation == "divide" else 0


def check_operation(operation: str, modulus: int) -> None:
    """Refuses an operation that there is not, or not with this modulus.

    Raises:
        UserError: see `modular_arithmetic`.
    """
    if operation not in OPERATIONS:
        near = nearest_name(operation, OPERATIONS)
        hint = f" Did you mean {near!r}?" if near else ""
        raise UserError(
            f"Unknown task.operation {operation!r}.{hint} Known: {', '.join(OPERATIONS)}."
        )
    if modulus < 2:
        raise UserError(f"task.modulus must be 2 or more, received {modulus!r}.")
    if operation == "divide" and not is_prime(modulus):
        raise UserError(
            f"Division needs a prime task.modulus (else some numbers have no inverse), "
            f"received {modulus}."
        )
