"""From steps a second to ratios: medians, and whether each meets its target."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokkeras.bench.suite import Comparison, Measurement

# Steps a second of each repeat, by loop.
Rates = Mapping[Measurement, Sequence[float]]


@dataclass(frozen=True)
class Ratio:
    """One comparison, measured.

    Attributes:
        comparison: which.
        ours: our median steps a second.
        baseline: the baseline's.
    """

    comparison: Comparison
    ours: float
    baseline: float

    @property
    def ratio(self) -> float:
        """Ours over the baseline's."""
        return self.ours / self.baseline

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        target = self.comparison.target
        return None if target is None else self.ratio >= target


def ratios(rows: Iterable[Comparison], rates: Rates) -> list[Ratio]:
    """Every comparison of which both loops were measured."""
    medians = {loop: statistics.median(values) for loop, values in rates.items() if values}
    return [
        Ratio(row, medians[row.ours], medians[row.baseline])
        for row in rows
        if row.ours in medians and row.baseline in medians
    ]


def as_json(rows: Iterable[Ratio], rates: Rates) -> dict[str, Any]:
    """All repeats and all ratios as JSON-able lists."""
    return {
        "measurements": [
            {
                "workload": loop.workload,
                "backend": loop.backend,
                "kind": loop.kind,
                "steps_per_second": list(values),
                "median": statistics.median(values),
            }
            for loop, values in rates.items()
            if values
        ],
        "comparisons": [
            {
                "workload": row.comparison.ours.workload,
                "backend": row.comparison.ours.backend,
                "baseline": row.comparison.baseline.kind,
                "baseline_backend": row.comparison.baseline.backend,
                "ours": row.ours,
                "baseline_steps_per_second": row.baseline,
                "ratio": row.ratio,
                "target": row.comparison.target,
                "met": row.met,
            }
            for row in rows
        ],
    }
