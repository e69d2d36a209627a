"""The task's own words: `{"a": 12, "b": 95}` to a row, and a class to its meaning."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokkeras.serving.card import Card, Operand
from grokkeras.serving.errors import RequestError, shown
from grokkeras.serving.rows import checked_rows


def read_solve(request: dict[str, Any], card: Card) -> np.ndarray:
    """A `:solve` request as one row, (1, length).

    Args:
        request: the body: a value for each operand.
        card: what the model takes.

    Raises:
        RequestError: an operand is missing, unknown, or no value that it can take.
    """
    names = [operand.name for operand in card.operands]
    if sorted(request) != sorted(names):
        received = ", ".join(sorted(shown(name) for name in request)[:10]) or "nothing"
        raise RequestError(f"Expected the operands {', '.join(names)}; received {received}.")
    row = card.row.tolist()
    for operand in card.operands:
        value = request[operand.name]
        if operand.names is not None:
            value = _token(value, operand, operand.names, card)
        values = [value] if len(operand.positions) == 1 else value
        _check(values, operand, card)
        for position, each in zip(operand.positions, values, strict=True):
            row[position] = each
    return checked_rows([row], card, "row", 1)


def _token(value: Any, operand: Operand, names: tuple[str, ...], card: Card) -> int:
    """The token that a name, or its place among the names, stands for."""
    first = 0 if card.low is None else int(card.low[operand.positions[0]])
    if isinstance(value, str) and value in names:
        return first + names.index(value)
    if type(value) is int and 0 <= value < len(names):
        return first + value
    few = ", ".join(names) if len(names) <= 8 else f"{len(names)} names such as {names[-1]!r}"
    raise RequestError(
        f"{operand.name}: expected one of {few}, or a number from 0 to {len(names) - 1}, received "
        f"{shown(value)}."
    )


def _check(values: Any, operand: Operand, card: Card) -> None:
    """Refuses in the operand's name what `checked_rows` would refuse in the row's."""
    count = len(operand.positions)
    if not isinstance(values, list) or len(values) != count:
        received = len(values) if isinstance(values, list) else shown(values)
        raise RequestError(
            f"{operand.name}: expected a list of {count} numbers, received {received}."
        )
    for place, (position, value) in enumerate(zip(operand.positions, values, strict=True)):
        field = operand.name if count == 1 else f"{operand.name}[{place}]"
        if card.low is None or card.high is None:
            if type(value) not in (int, float):
                raise RequestError(f"{field}: expected a number, received {shown(value)}.")
            continue
        low, high = int(card.low[position]), int(card.high[position])
        if type(value) is not int or not low <= value <= high:
            raise RequestError(
                f"{field}: expected an integer from {low} to {high}, received {shown(value)}."
            )


def write_solve(answers: dict[str, np.ndarray], card: Card) -> dict[str, Any]:
    """The answer to a `:solve` request."""
    return {
        "answer": card.label(int(answers["class"][0])),
        "probability": float(answers["probability"][0]),
    }
