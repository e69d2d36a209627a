"""Checks of a schedule's arguments: each takes what arrived, and returns it or says what is wrong.

A field names its check in its type, `start: Annotated[float, number()]`, for which there are short
names. A check raises `ValueError` with what was expected; `Schedule` makes one message of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Annotated, Any

Check = Callable[[Any], Any]


def number(above: float | None = None, least: float | None = None) -> Check:
    """A finite number, as a Python float. NumPy scalars are numbers, booleans are not."""
    words = "a finite number"
    if above is not None:
        words += f" above {above:g}"
    if least is not None:
        words += f", {least:g} or more"

    def check(value: Any) -> float:
        plain = _plain(value)
        bad = plain is None or not math.isfinite(plain)
        if bad or (above is not None and plain <= above) or (least is not None and plain < least):
            raise ValueError(words)
        return float(plain)

    return check


def whole(least: int) -> Check:
    """A whole number of steps, as a Python int; 5e3 is one."""

    def check(value: Any) -> int:
        plain = _plain(value)
        if plain is None or not math.isfinite(plain) or plain != int(plain) or plain < least:
            raise ValueError(f"a whole number, {least} or more")
        return int(plain)

    return check


def one_of(names: Sequence[str]) -> Check:
    """One of some texts."""

    def check(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return str(value)

    return check


def optional(inner: Check) -> Check:
    """None, or what `inner` takes."""

    def check(value: Any) -> Any:
        try:
            return None if value is None else inner(value)
        except ValueError as error:
            raise ValueError(f"{error}, or None") from None

    return check


def several(inner: Check, least: int) -> Check:
    """A list of at least `least` items, each as `inner` takes it; kept as a tuple."""

    def check(value: Any) -> tuple[Any, ...]:
        # An array is a sequence too, but none that isinstance knows.
        items = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(items, str) or not isinstance(items, Sequence) or len(items) < least:
            raise ValueError(f"a list of {least} or more")
        try:
            return tuple(inner(item) for item in items)
        except ValueError as error:
            raise ValueError(f"a list of {least} or more, each {error}") from None

    return check


def _plain(value: Any) -> Any:
    """The Python number that a real number is, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    return value.item() if hasattr(value, "item") else value


Number = Annotated[float, number()]
NotNegative = Annotated[float, number(least=0)]
Positive = Annotated[float, number(above=0)]
Steps = Annotated[int, whole(1)]
