"""What can go wrong, by who has to act: the user (exit code 2) or nobody at the keyboard (1).

The command line prints the message of a `GrokkerasError` without a traceback and exits with its
`exit_code`. Any other exception is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class GrokkerasError(Exception):
    """The work failed (NaN, disk full, a worker died). Says what happened and what to do."""

    exit_code = 1


class UserError(GrokkerasError):
    """The user's input was refused. Says what was expected, what arrived and what to do."""

    exit_code = 2


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a configuration.

    Attributes:
        key: dotted path, such as `optimizer.weight_decay`.
        received: what stood there, as Python sees it.
        expected: what would have been right, in words that end a sentence after "expected".
        nearest: the nearest known name, or None.
    """

    key: str
    received: object
    expected: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        return f"{self.key}: received {self.received!r}, expected {self.expected}{hint}"


class ConfigError(UserError):
    """A configuration was refused; `faults` lists every reason, not only the first."""

    def __init__(self, faults: Sequence[Fault], source: str = "the configuration") -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} faults" if len(self.faults) != 1 else "1 fault"
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{source} was refused, {count}:\n{lines}")


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt `name` most likely meant, or None if nothing is near."""
    matches = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None
