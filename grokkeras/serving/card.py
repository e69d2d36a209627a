"""A version's own description, `assets.extra/grokkeras.json`, checked as it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.serving.errors import UnsoundVersionError

EXTRA = "assets.extra"
CARD_FILE = "grokkeras.json"
DTYPES = {"INT32": np.dtype(np.int32), "FP32": np.dtype(np.float32)}
# Every output: its datatype in the Open Inference Protocol, and its NumPy type.
OUTPUTS = ("logits", "class", "probability")
OUTPUT_TYPES = {"logits": "FP32", "class": "INT32", "probability": "FP32"}
SIGNATURES = {"serving_default": OUTPUTS, "class": ("class",)}


@dataclass(frozen=True)
class Operand:
    """A person's name for a part of a row.

    Attributes:
        name: such as `a`.
        positions: where it stands in the row.
        names: of the tokens that may stand there, from the first; None: their numbers.
    """

    name: str
    positions: tuple[int, ...]
    names: tuple[str, ...] | None


@dataclass(frozen=True)
class Card:
    """What the server knows of a model.

    Attributes:
        task: the task's name.
        title: the task in a few words.
        formula: what is answered, or "".
        input_name: of the only input.
        datatype: key of `DTYPES`.
        length: numbers a row.
        low, high: (length,) the least and largest token of each position; None for features.
        num_classes: classes.
        labels: what each class means; None: its own number.
        operands: the parts of a row.
        row: a row with the tokens that never change.
        circle: the embedding's circle, for the page; None where there is none.
    """

    task: str
    title: str
    formula: str
    input_name: str
    datatype: str
    length: int
    low: np.ndarray | None
    high: np.ndarray | None
    num_classes: int
    labels: tuple[Any, ...] | None
    operands: tuple[Operand, ...]
    row: np.ndarray
    circle: dict[str, Any] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The rows' NumPy type."""
        return DTYPES[self.datatype]

    def label(self, number: int) -> Any:
        """What a class means."""
        return number if self.labels is None else self.labels[number]

    def to_dict(self) -> dict[str, Any]:
        """What the page is told."""
        ranges = None
        if self.low is not None and self.high is not None:
            ranges = [[int(low), int(high)] for low, high in zip(self.low, self.high, strict=True)]
        return {
            "task": self.task,
            "title": self.title,
            "formula": self.formula,
            "input": {
                "name": self.input_name,
                "datatype": self.datatype,
                "length": self.length,
                "least_and_largest": ranges,
            },
            "num_classes": self.num_classes,
            "labels": self.labels,
            "operands": [
                {
                    "name": operand.name,
                    "positions": operand.positions,
                    "names": operand.names,
                }
                for operand in self.operands
            ],
            "circle": self.circle,
        }


def read_card(version: Path) -> Card:
    """The card of a version.

    Raises:
        UnsoundVersionError: it is missing or says something impossible.
    """
    path = version / EXTRA / CARD_FILE
    try:
        card = json.loads(path.read_bytes())
        return _card(card)
    except FileNotFoundError:
        raise UnsoundVersionError(
            f"{EXTRA}/{CARD_FILE} is missing: not exported by grokkeras, or copied in part"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnsoundVersionError(
            f"{EXTRA}/{CARD_FILE} cannot be used ({type(error).__name__}: {error})"
        ) from error


def _card(card: dict[str, Any]) -> Card:
    if card["format"] != 1:
        raise ValueError(f"expected format 1, received {card['format']!r}")
    inputs = card["input"]
    length, ranges = int(inputs["length"]), inputs["ranges"]
    dtype = DTYPES[inputs["datatype"]]
    low = high = None
    if ranges is not None:
        pairs = np.array(ranges, dtype=np.int64).reshape(length, 2)
        low, high = pairs[:, 0], pairs.sum(axis=1) - 1
    labels = card["labels"]
    if labels is not None and len(labels) != card["num_classes"]:
        raise ValueError(f"{len(labels)} labels for {card['num_classes']} classes")
    row = np.array(card["row"], dtype=dtype).reshape(length)
    operands = tuple(
        Operand(
            str(each["name"]),
            tuple(each["positions"]),
            None if each["names"] is None else tuple(map(str, each["names"])),
        )
        for each in card["operands"]
    )
    for operand in operands:
        if not all(0 <= position < length for position in operand.positions):
            raise ValueError(f"operand {operand.name} leaves the row")
        if operand.names is not None:
            (position,) = operand.positions
            if ranges is None or len(operand.names) != ranges[position][1]:
                raise ValueError(f"operand {operand.name} has not a name for each token")
    return Card(
        task=str(card["task"]),
        title=str(card["title"]),
        formula=str(card["formula"]),
        input_name=str(inputs["name"]),
        datatype=inputs["datatype"],
        length=length,
        low=low,
        high=high,
        num_classes=int(card["num_classes"]),
        labels=None if labels is None else tuple(labels),
        operands=operands,
        row=row,
        circle=card.get("circle"),
    )
