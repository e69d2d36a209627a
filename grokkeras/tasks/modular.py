"""Modular arithmetic: all pairs (a, b) of residues, labelled with a op b mod p.

The task of Power et al. 2022 (arXiv 2201.02177), table 1. a stands for x and b for y in the
polynomial operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokkeras.errors import UserError, nearest_name
from grokkeras.tasks.base import TASKS, TaskData, read_options
from grokkeras.tasks.operands import PairLayout

Operation = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def _divide(a: np.ndarray, b: np.ndarray, modulus: int) -> np.ndarray:
    inverse = np.array([0] + [pow(value, -1, modulus) for value in range(1, modulus)])
    return a * inverse[b]


# int64 holds the largest of these, p**3, for every p whose p**2 pairs fit in memory.
OPERATIONS: dict[str, Operation] = {
    "add": lambda a, b, p: a + b,
    "subtract": lambda a, b, p: a - b,
    "multiply": lambda a, b, p: a * b,
    "divide": _divide,
    "x2+y2": lambda a, b, p: a**2 + b**2,
    "x2+xy+y2": lambda a, b, p: a**2 + a * b + b**2,
    "x2+xy+y2+x": lambda a, b, p: a**2 + a * b + b**2 + a,
    "x3+xy": lambda a, b, p: a**3 + a * b,
    "x3+xy2+y": lambda a, b, p: a**3 + a * b**2 + b,
}

_TITLES = {
    "add": "addition",
    "subtract": "subtraction",
    "multiply": "multiplication",
    "divide": "division",
}


@dataclass(frozen=True)
class ModularOptions:
    """Options of `modular_arithmetic`; the fields of the configuration's `task`."""

    operation: str = "add"
    modulus: int = 97
    format: str = "a b ="
    train_fraction: float = 0.4
    val_fraction: float = 0.3
    stratify: bool = False


@dataclass(frozen=True)
class ResidueCodec:
    """Encodes two residues; the answer is a residue."""

    layout: PairLayout

    def encode(self, **operands: Any) -> np.ndarray:
        """Tokens of a and b, (length,) int32."""
        a, b = two_operands(operands)
        for name, value, first in (("a", a, 0), ("b", b, self.layout.first_b)):
            is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not is_integer or not first <= value < self.layout.size:
                raise UserError(
                    f"{name} must be an integer from {first} to {self.layout.size - 1}, "
                    f"received {value!r}."
                )
        return self.layout.row(a, b)

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
    layout = PairLayout(modulus, chosen.format, first_b=1 if operation == "divide" else 0)
    a, b = layout.all_pairs()
    return TaskData(
        "modular_arithmetic",
        layout.rows(a, b),
        OPERATIONS[operation](a, b, modulus) % modulus,
        num_classes=modulus,
        train_fraction=chosen.train_fraction,
        val_fraction=chosen.val_fraction,
        seed=seed,
        stratify=chosen.stratify,
        vocab_size=layout.vocab_size,
        token_ranges=layout.token_ranges,
        title=f"{_TITLES.get(operation, operation)} mod {modulus}",
        codec=ResidueCodec(layout),
    )
