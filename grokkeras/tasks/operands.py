"""Tokens of tasks with two operands, such as 12 + 95 = ?

Both operands share the tokens 0..size-1. "=" is token `size`, the operation is token `size` + 1,
or one of those that follow it where there are several. The answer is read at the last position.

    format      tokens           vocabulary
    "a b"       a, b             size
    "a b ="     a, b, =          size + 1
    "a op b ="  a, op, b, =      size + 1 + number of operations
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grokkeras.errors import UserError, nearest_name

FORMATS = ("a b =", "a op b =", "a b")


@dataclass(frozen=True)
class PairLayout:
    """Where two operands stand in a row of tokens.

    Attributes:
        size: number of values an operand can take.
        format: one of `FORMATS`.
        first_b: smallest value of b (1 for division, else 0).
        num_operations: how many operations share the vocabulary; several need "a op b =".
    """

    size: int
    format: str = "a b ="
    first_b: int = 0
    num_operations: int = 1

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            near = nearest_name(self.format, FORMATS)
            hint = f" Did you mean {near!r}?" if near else ""
            known = ", ".join(repr(name) for name in FORMATS)
            raise UserError(f"Unknown task.format {self.format!r}.{hint} Known: {known}.")
        if self.num_operations > 1 and self.format != "a op b =":
            raise UserError(
                f"task.format must be 'a op b =' where there are several operations, since only "
                f"the token op tells which; received {self.format!r}."
            )

    @property
    def vocab_size(self) -> int:
        """Operand tokens and whichever of "=" and the operation the format has."""
        return self.size + {"a b": 0, "a b =": 1, "a op b =": 1 + self.num_operations}[self.format]

    @property
    def token_ranges(self) -> tuple[tuple[int, int], ...]:
        """(first token, number of tokens) for each position."""
        a, b = (0, self.size), (self.first_b, self.size - self.first_b)
        equals, operation = (self.size, 1), (self.size + 1, self.num_operations)
        if self.format == "a b":
            return (a, b)
        return (a, b, equals) if self.format == "a b =" else (a, operation, b, equals)

    def all_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Every pair of operands: a and b, (n,) int64 each, b running fastest."""
        a, b = np.meshgrid(np.arange(self.size), np.arange(self.first_b, self.size), indexing="ij")
        return a.ravel(), b.ravel()

    def rows(self, a: np.ndarray, b: np.ndarray, operation: np.ndarray | int = 0) -> np.ndarray:
        """Tokens of the pairs (a, b): (n, length) int32. `operation` counts from 0."""
        equals = np.full_like(a, self.size)
        columns = {
            "a b": (a, b),
            "a b =": (a, b, equals),
            "a op b =": (a, equals + 1 + operation, b, equals),
        }[self.format]
        return np.stack(columns, axis=1).astype(np.int32)

    def row(self, a: int, b: int, operation: int = 0) -> np.ndarray:
        """Tokens of one pair: (length,) int32."""
        return self.rows(np.array([a]), np.array([b]), operation)[0]

    def operands(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `rows` was made from: a, b and the operation, (n,) int64 each."""
        rows = rows.astype(np.int64)
        if self.format == "a op b =":
            return rows[:, 0], rows[:, 2], rows[:, 1] - self.size - 1
        return rows[:, 0], rows[:, 1], np.zeros(len(rows), np.int64)
