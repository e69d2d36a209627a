"""Weight decay that varies over training, beside the best constant weight decay.

`python -m benchmarks.studies.weight_decay_schedules` does what is missing and writes
`docs/ablations/weight_decay.md`; with `--table` it runs nothing.
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


def delayed(decay: float) -> dict[str, Any]:
    """None until memorization is confirmed."""
    return {"schedule": "on_event", "event": "memorization", "before": 0.0, "after": decay}


def ramp(decay: float, steps: int) -> dict[str, Any]:
    """From none in a straight line."""
    return {"schedule": "linear", "start": 0.0, "end": decay, "steps": steps}


def falling(decay: float, steps: int) -> dict[str, Any]:
    """Down to 1 in half a cosine wave."""
    return {"schedule": "cosine", "start": decay, "end": 1.0, "steps": steps}


ABLATION = Ablation(
    study="weight_decay_schedules",
    key="optimizer.weight_decay",
    constants={f"constant {decay}": float(decay) for decay in (1, 2, 3, 5, 8, 12)},
    schedules={
        "0, once memorised 5": delayed(5.0),
        "0, once memorised 8": delayed(8.0),
        "0, once memorised 12": delayed(12.0),
        "0 to 8 over 300 steps": ramp(8.0, 300),
        "0 to 12 over 300 steps": ramp(12.0, 300),
        "cosine 8 to 1 over 500 steps": falling(8.0, 500),
    },
    also=("constant 12", "0, once memorised 12"),
    pairs=(
        (BEST_SCHEDULE, BEST_CONSTANT),
        (SECOND_SCHEDULE, SECOND_CONSTANT),
        ("0, once memorised 12", "constant 12"),
    ),
)


def main() -> None:
    """Runs what is missing and writes the page's tables and picture."""
    write_page(ABLATION, carry_out(ABLATION), "weight_decay")


if __name__ == "__main__":
    main()
