"""Tokens of tasks with two operands, such as 12 + 95 = ?

Both operands share the tokens 0..size-1. "=" is token `size`, the operation is token `size` + 1.
The answer is read at the last position.

    format      tokens           vocabulary
    "a b"       a, b             size
    "a b ="     a, b, =          size + 1
    "a op b ="  a, op, b, =      size + 2
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
    """

    size: int
    format: str = "a b ="
    first_b: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            near = nearest_name(self.format, FORMATS)
            hint = f" Did you mean {near!r}?" if near else ""
            known = ", ".join(repr(name) for name in FORMATS)
            raise UserError(f"Unknown task.format {self.format!r}.{hint} Known: {known}.")

    @property
    def vocab_size(self) -> int:
        """Operand tokens and whichever of "=" and the operation the format has."""
        return self.size + {"a b": 0, "a b =": 1, "a op b =": 2}[self.format]

    @property
    def token_ranges(self) -> tuple[tuple[int, int], ...]:
        """(first token, number of tokens) for each position."""
        a, b = (0, self.size), (self.first_b, self.size - self.first_b)
        equals, operation = (self.size, 1), (self.size + 1, 1)
        if self.format == "a b":
            return (a, b)
        return (a, b, equals) if self.format == "a b =" else (a, operation, b, equals)

    def all_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Every pair of operands: a and b, (n,) int64 each, b running fastest."""
        a, b = np.meshgrid(np.arange(self.size), np.arange(self.first_b, self.size), indexing="ij")
        return a.ravel(), b.ravel()

    def rows(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Tokens of the pairs (a, b): (n, length) int32."""
        equals = np.full_like(a, self.size)
        columns = {
            "a b": (a, b),
            "a b =": (a, b, equals),
            "a op b =": (a, equals + 1, b, equals),
        }[self.format]
        return np.stack(columns, axis=1).astype(np.int32)

    def row(self, a: int, b: int) -> np.ndarray:
        """Tokens of one pair: (length,) int32."""
        return self.rows(np.array([a]), np.array([b]))[0]
