"""What a server must know of a task to speak it, as one JSON-able card beside the model.

The server imports nothing of this package, so the card says it all: which tokens may stand where,
how a person's operands become a row, and what each class is called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokkeras.tasks import TaskData

CARD_FORMAT = 1

_FORMULAS = {
    "add": "a + b",
    "subtract": "a − b",  # noqa: RUF001 - a minus sign, as a person writes it
    "multiply": "a · b",
    "divide": "a / b",
    "x2+y2": "a² + b²",
    "x2+xy+y2": "a² + ab + b²",
    "x2+xy+y2+x": "a² + ab + b² + a",
    "x3+xy": "a³ + ab",
    "x3+xy2+y": "a³ + ab² + b",
}
_PRODUCTS = {"ab": "a b", "aba'": "a b a⁻¹", "aba": "a b a"}


@dataclass(frozen=True)
class TaskCard:
    """A task in words and numbers.

    Attributes:
        task: the registry's name, or `custom`.
        title: the task in a few words.
        formula: what the classes answer, such as `a + b mod 97`; "" where there is no formula.
        input: `name` of the input, `datatype` (INT32 or FP32), `length` of a row, and `ranges`, a
            position each [first token, number of tokens], or None for features.
        num_classes: classes a row.
        labels: what each class means, or None: its own number.
        operands: a person's names for parts of a row: `name`, the `positions` it fills, and
            `names` of the tokens that may stand there, from the first, or None: their numbers.
        row: a whole row with the tokens that never change in it.
        circle: see `grokkeras.export.circle`; None where there is none.
    """

    task: str
    title: str
    formula: str
    input: dict[str, Any]
    num_classes: int
    labels: list[Any] | None
    operands: list[dict[str, Any]]
    row: list[float]
    circle: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The contents of `assets.extra/grokkeras.json`."""
        return {"format": CARD_FORMAT, **dataclasses.asdict(self)}


def card_of_task(task: TaskData, options: Any) -> TaskCard:
    """The card of one of our tasks.

    Args:
        task: the task.
        options: the configuration's `task`, which it was made from.
    """
    labels = None
    if task.name in ("modular_arithmetic", "modular_mixture", "symmetric_group"):
        labels = [task.answer(label) for label in range(task.num_classes)]
    ranges = task.token_ranges
    return TaskCard(
        task=task.name,
        title=task.describe().partition(": ")[0],
        formula=_formula(options),
        input=input_of(task.length, ranges),
        num_classes=task.num_classes,
        # Residues are their own names.
        labels=None if labels == list(range(task.num_classes)) else labels,
        operands=_operands(task, options, labels),
        row=[float(0)] * task.length if ranges is None else [first for first, _ in ranges],
    )


def _operands(task: TaskData, options: Any, labels: list[Any] | None) -> list[dict[str, Any]]:
    """A person's names for parts of a row, in the order in which the page asks for them."""
    if labels is None:
        name = "bits" if task.name == "sparse_parity" else "x"
        return [_operand(name, range(task.length))]
    if task.name == "modular_mixture":
        operation = _operand("operation", [1], list(options.operations))
        return [_operand("a", [0]), operation, _operand("b", [2])]
    names = labels if task.name == "symmetric_group" else None
    place_of_b = 2 if options.format == "a op b =" else 1
    return [_operand("a", [0], names), _operand("b", [place_of_b], names)]


def _operand(name: str, positions: Iterable[int], names: list[Any] | None = None) -> dict[str, Any]:
    return {"name": name, "positions": list(positions), "names": names}


def card_of_rows(x: np.ndarray, num_classes: int) -> TaskCard:
    """The card of a model of somebody else's: known by example inputs alone.

    Args:
        x: (n, length) integers, which become tokens between each column's least and largest, or
            real numbers.
        num_classes: classes a row.
    """
    ranges = None
    if x.dtype.kind in "iu":
        low, high = x.min(axis=0), x.max(axis=0)
        ranges = [(int(lo), int(hi) - int(lo) + 1) for lo, hi in zip(low, high, strict=True)]
    return TaskCard(
        task="custom",
        title="a model of your own",
        formula="",
        input=input_of(x.shape[1], ranges),
        num_classes=num_classes,
        labels=None,
        operands=[_operand("x", range(x.shape[1]))],
        row=[float(0)] * x.shape[1] if ranges is None else [first for first, _ in ranges],
    )


def input_of(length: int, ranges: Sequence[Sequence[int]] | None) -> dict[str, Any]:
    """The card's `input`."""
    return {
        "name": "features" if ranges is None else "tokens",
        "datatype": "FP32" if ranges is None else "INT32",
        "length": length,
        "ranges": None if ranges is None else [list(pair) for pair in ranges],
    }


def _formula(options: Any) -> str:
    if options.name == "modular_arithmetic":
        return f"{_FORMULAS[options.operation]} mod {options.modulus}"
    if options.name == "modular_mixture":
        return f"a operation b, mod {options.modulus}"
    if options.name == "symmetric_group":
        return f"{_PRODUCTS[options.operation]} in S{options.degree}, right factor first"
    if options.name == "sparse_parity":
        return f"parity of {options.num_relevant} hidden bits"
    return ""
