"""Curves whose grokking step is known, and curves of real runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grokkeras.forecast import Point

RECORDED = Path(__file__).parent / "recorded.json"


def steps(first: int, last: int, per_decade: int = 100) -> list[int]:
    """Where a run evaluates."""
    return sorted(
        {round(10 ** (k / per_decade)) for k in range(10 * per_decade)}
        & set(range(first, last + 1))
    )


def falling(memorized: int, reached: int, highest: float = 6.0) -> list[Point]:
    """A loss that falls in a straight line from the memorization step to 0.3 at `reached`."""
    rate = (highest - 0.3) / (reached - memorized)
    return [(step, highest - max(0.0, rate * (step - memorized))) for step in steps(1, reached)]


def evaluations(curve: list[Point], until: int) -> list[dict[str, Any]]:
    """As in `metrics.jsonl`, of a run that has not grokked."""
    return [
        {
            "step": step,
            "train_loss": 0.01,
            "train_accuracy": 1.0,
            "val_loss": loss,
            "val_accuracy": 0.1,
        }
        for step, loss in curve
        if step <= until
    ]


def recorded() -> list[dict[str, Any]]:
    """Real runs: `name`, `memorized`, `grokked` or None, `curve` of points."""
    found: list[dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found
