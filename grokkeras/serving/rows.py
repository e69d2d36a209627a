"""From a client's numbers to rows that no engine can choke on.

Everything is checked here, before a row can meet those of other requests: in ONNX Runtime a token
out of range fails its whole batch, and a negative one silently counts from the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from grokkeras.serving.card import Card
from grokkeras.serving.errors import RequestError, shown

# So few rows are checked value by value.
_FEW = 4


def checked_rows(values: Any, card: Card, field: str, max_rows: int) -> np.ndarray:
    """A request's rows.

    Args:
        values: a list of rows, as JSON gave it, or an array.
        card: what the model takes.
        field: where `values` stand in the request, for messages.
        max_rows: more are refused.

    Returns:
        (rows, length) in the model's type.

    Raises:
        RequestError: they are not such rows; names the first value at fault.
    """
    if isinstance(values, list):
        if not values:
            raise RequestError(f"{field}: expected one row at least, received none.")
        if len(values) > max_rows:
            raise RequestError(_too_many(field, len(values), max_rows))
        array = _array(values, card, field)
    elif isinstance(values, np.ndarray):
        array = values
    else:
        raise RequestError(
            f"{field}: expected a list of rows of {card.length} numbers, received {shown(values)}."
        )
    if array.ndim != 2 or array.shape[1] != card.length:
        raise RequestError(
            f"{field}: expected rows of {card.length} numbers, shape [rows, {card.length}]; "
            f"received shape {list(array.shape)}."
        )
    if not len(array):
        raise RequestError(f"{field}: expected one row at least, received none.")
    if len(array) > max_rows:
        raise RequestError(_too_many(field, len(array), max_rows))
    return _tokens(array, card, field) if card.low is not None else _features(array, card, field)


def _too_many(field: str, count: int, max_rows: int) -> str:
    return (
        f"{field}: received {count:,} rows, at most {max_rows:,} are taken at a time. Send them "
        f"in several requests."
    )


def _array(values: list[Any], card: Card, field: str) -> np.ndarray:
    # One row, the usual request, is looked at in Python alone; NumPy would cost more.
    if len(values) <= _FEW:
        _check_each(values, card, field)
    try:
        array = np.array(values)
    except (ValueError, OverflowError):  # ragged
        array = np.empty(0, dtype=object)
    right = array.dtype.kind in ("iu" if card.low is not None else "iuf")
    if not right or array.ndim != 2 or _holds_booleans(values):
        _check_each(values, card, field)
    return array


def _holds_booleans(values: list[Any]) -> bool:
    # NumPy takes true for 1 among numbers. A set of types is quick even for 10,000 rows.
    return len(values) > _FEW and any(
        bool in set(map(type, row)) for row in values if type(row) is list
    )


def _check_each(values: list[Any], card: Card, field: str) -> None:
    """Raises a RequestError that names the first row or value that is not as it should be."""
    bounds = None
    if card.low is not None and card.high is not None:
        bounds = list(zip(card.low.tolist(), card.high.tolist(), strict=True))
    for place, row in enumerate(values):
        if type(row) is not list:
            raise RequestError(
                f"{field}[{place}]: expected a row of {card.length} numbers, received {shown(row)}."
            )
        if len(row) != card.length:
            raise RequestError(
                f"{field}[{place}]: expected a row of {card.length} numbers, received {len(row)}."
            )
        for position, value in enumerate(row):
            where = f"{field}[{place}][{position}]"
            if bounds is None:
                if type(value) not in (int, float):
                    raise RequestError(f"{where}: expected a number, received {shown(value)}.")
            elif type(value) is not int:
                raise RequestError(f"{where}: expected an integer, received {shown(value)}.")
            elif not bounds[position][0] <= value <= bounds[position][1]:
                raise _out_of_range(where, *bounds[position], value)


def _out_of_range(where: str, low: int, high: int, value: int) -> RequestError:
    expected = f"{low}" if low == high else f"an integer from {low} to {high}"
    return RequestError(f"{where}: expected {expected}, received {shown(value)}.")


def _tokens(array: np.ndarray, card: Card, field: str) -> np.ndarray:
    assert card.low is not None
    assert card.high is not None
    if len(array) > _FEW or array.dtype != np.int64:
        wrong = (array < card.low) | (array > card.high)
        if wrong.any():
            place, position = np.argwhere(wrong)[0]
            raise _out_of_range(
                f"{field}[{place}][{position}]",
                int(card.low[position]),
                int(card.high[position]),
                int(array[place, position]),
            )
    return array.astype(card.dtype)


def _features(array: np.ndarray, card: Card, field: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        rows = array.astype(card.dtype)
    wrong = ~np.isfinite(rows)
    if wrong.any():
        place, position = np.argwhere(wrong)[0]
        raise RequestError(
            f"{field}[{place}][{position}]: expected a finite number within float32, received "
            f"{array[place, position]}."
        )
    return rows
