"""What a client is told: a status and one message. Each protocol wraps it in its own JSON."""

from __future__ import annotations

import reprlib


class RequestError(Exception):
    """A request was refused.

    Args:
        message: what was expected, where, and what arrived.
        status: the HTTP status.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(RequestError):
    """No such model, version, label or signature."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)


class OverloadedError(RequestError):
    """Too many rows are waiting already; the client may try again in a second."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"The server is busy: {waiting:,} rows are waiting for their inference. Try again in "
            f"a moment.",
            503,
        )


class UnsoundVersionError(Exception):
    """A version's files are damaged, incomplete or not ours; says which and why."""


# Looks at a value's beginning alone: `repr` takes long for a large one and fails on a deep one.
_beginning = reprlib.Repr()
_beginning.maxlist = _beginning.maxdict = 20
_beginning.maxstring = _beginning.maxlong = _beginning.maxother = 80


def shown(value: object, most: int = 60) -> str:
    """A client's value as it may stand in a message: short, on one line."""
    text = _beginning.repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
