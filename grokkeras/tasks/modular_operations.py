"""The operations of modular arithmetic, and which symmetries each of them has.

The operations are those of Power et al. 2022 (arXiv 2201.02177), table 1. Every symmetry here is
an affine map of the pair (a, b) modulo p together with a factor of the answer, by an identity of
polynomials, so it holds for every modulus. A test goes through all pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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

TITLES = {
    "add": "addition",
    "subtract": "subtraction",
    "multiply": "multiplication",
    "divide": "division",
}


@dataclass(frozen=True)
class Affine:
    """The map (a, b) to (m00 a + m01 b + s, m10 a + m11 b + t); the answer is multiplied.

    Attributes:
        matrix: ((m00, m01), (m10, m11)).
        shift: (s, t).
        factor: of the answer.
    """

    matrix: tuple[tuple[int, int], tuple[int, int]]
    shift: tuple[int, int] = (0, 0)
    factor: int = 1


# By operation, what tells one symmetry's maps apart from another operation's: the factor of the
# answer (commute, negate, reflect), the sign of b's shift (translate), the degree (scale).
_DECLARED: dict[str, dict[str, int]] = {
    "commute": {"add": 1, "subtract": -1, "multiply": 1, "x2+y2": 1, "x2+xy+y2": 1},
    "translate": {"add": -1, "subtract": 1},
    "scale": {"add": 1, "subtract": 1, "multiply": 2, "divide": 0, "x2+y2": 2, "x2+xy+y2": 2},
    "negate": {
        "add": -1,
        "subtract": -1,
        "multiply": 1,
        "divide": 1,
        "x2+y2": 1,
        "x2+xy+y2": 1,
        "x3+xy2+y": -1,
    },
    "reflect": {"multiply": -1, "divide": -1, "x2+y2": 1, "x3+xy": -1},
    "balance": {"multiply": 1},
    "other_root": {"x2+xy+y2": 1, "x2+xy+y2+x": 1},
}


def symmetry_names(operation: str) -> tuple[str, ...]:
    """The symmetries of an operation."""
    return tuple(name for name, chosen in _DECLARED.items() if operation in chosen)


def affine_maps(name: str, operation: str, modulus: int) -> list[Affine]:
    """The maps of one symmetry of one operation but for the identity.

    As many for every operation that has the symmetry, so that a mixture can pair them.

    Args:
        name: one of `symmetry_names(operation)`:
            commute      (b, a)
            translate    (a + s, b - s), for differences (a + s, b + s)
            scale        (u a, u b) for every unit u
            negate       (-a, -b)
            reflect      (-a, b)
            balance      (u a, b / u) for every unit u
            other_root   (a, -a - b): b and -a - b solve t (t + a) = const
        operation: a key of `OPERATIONS`.
        modulus: p.
    """
    own = _DECLARED[name][operation]
    units = [u for u in range(2, modulus) if math.gcd(u, modulus) == 1]
    match name:
        case "commute":
            return [Affine(((0, 1), (1, 0)), factor=own)]
        case "translate":
            return [Affine(((1, 0), (0, 1)), shift=(s, own * s)) for s in range(1, modulus)]
        case "scale":
            return [Affine(((u, 0), (0, u)), factor=u**own) for u in units]
        case "negate":
            return [Affine(((-1, 0), (0, -1)), factor=own)]
        case "reflect":
            return [Affine(((-1, 0), (0, 1)), factor=own)]
        case "balance":
            return [Affine(((u, 0), (0, pow(u, -1, modulus)))) for u in units]
        case _:
            return [Affine(((1, 0), (-1, -1)))]
