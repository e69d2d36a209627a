"""Dropout whose rate varies over training, beside the best constant rate.

`python -m benchmarks.studies.dropout_annealing` does what is missing and writes
`docs/ablations/dropout.md`; with `--table` it runs nothing. Constant rates are constant schedules:
both sides draw their masks in the same way.
"""

from __future__ import annotations

from typing import Any

from benchmarks.studies.ablation import (
    BEST_CONSTANT,
    BEST_SCHEDULE,
    SECOND_CONSTANT,
    SECOND_SCHEDULE,
    Ablation,
    carry_out,
)
from benchmarks.studies.ablation_page import write_page


def linear(start: float, end: float, steps: int) -> dict[str, Any]:
    """In a straight line."""
    return {"schedule": "linear", "start": start, "end": end, "steps": steps}


def dropped(rate: float) -> dict[str, Any]:
    """None any more once memorization is confirmed."""
    return {"schedule": "on_event", "event": "memorization", "before": rate, "after": 0.0}


ABLATION = Ablation(
    study="dropout_annealing",
    key="dropout.rate",
    constants={
        f"constant {rate:g}": {"schedule": "constant", "value": rate}
        for rate in (0.0, 0.1, 0.2, 0.4)
    },
    schedules={
        "0.2 to 0 over 300 steps": linear(0.2, 0.0, 300),
        "0.4 to 0 over 300 steps": linear(0.4, 0.0, 300),
        "0.4, once memorised 0": dropped(0.4),
        "0 to 0.2 over 300 steps": linear(0.0, 0.2, 300),
    },
    also=("constant 0",),
    pairs=(
        (BEST_SCHEDULE, BEST_CONSTANT),
        (SECOND_SCHEDULE, SECOND_CONSTANT),
        (BEST_CONSTANT, "constant 0"),
    ),
)


def main() -> None:
    """Runs what is missing and writes the page's tables and picture."""
    write_page(ABLATION, carry_out(ABLATION), "dropout")


if __name__ == "__main__":
    main()
