"""When a curve first reached a threshold for good, or for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEAST_AT_THE_END = 2


class Crossing:
    """Finds the first evaluation from which a condition held for `patience` evaluations.

    Args:
        patience: evaluations in a row, the first included.

    Attributes:
        step: that first evaluation, once confirmed; it never changes after.
        candidate: first evaluation of the stretch under way, while not confirmed.
        held: its length in evaluations.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.step: int | None = None
        self.candidate: int | None = None
        self.held = 0

    def update(self, step: int, holds: bool) -> bool:
        """Takes in one evaluation; True if it is the one that confirms."""
        if self.step is not None:
            return False
        if not holds:
            self.candidate, self.held = None, 0
            return False
        if self.candidate is None:
            self.candidate = step
        self.held += 1
        return self._confirm(self.patience)

    def finish(self) -> bool:
        """No evaluation will follow; True if that confirms a stretch of two or more."""
        return self.step is None and self._confirm(_LEAST_AT_THE_END)

    def _confirm(self, length: int) -> bool:
        if self.held < length:
            return False
        self.step, self.candidate, self.held = self.candidate, None, 0
        return True

    def state_dict(self) -> dict[str, Any]:
        """JSON-able state, without the patience."""
        return {"step": self.step, "candidate": self.candidate, "held": self.held}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        self.step, self.candidate, self.held = state["step"], state["candidate"], state["held"]
