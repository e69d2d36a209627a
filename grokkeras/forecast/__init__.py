"""When a run that has memorized will grok: an estimate with an interval, or no sign of grokking.

Plain Python, from the evaluations so far alone, for every view of a run:

    signs.py          what the curves look like now
    estimate.py       signs -> forecast, by what `calibration.json` holds
    said.py           a forecast, in words
    calibration.json  written by `python -m benchmarks.studies.forecast`; docs/forecast.md tells how
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grokkeras.forecast.estimate import forecast
from grokkeras.forecast.said import Forecast
from grokkeras.forecast.signs import REACHED_LOSS, Point
from grokkeras.strict_json import number

__all__ = ["REACHED_LOSS", "Forecast", "forecast", "forecast_run", "points"]


def forecast_run(
    metrics: Iterable[Mapping[str, Any]], memorized: int | None, grokked: int | None
) -> Forecast | None:
    """The forecast of a run as it stands.

    Args:
        metrics: evaluations in order of step, as in `metrics.jsonl`.
        memorized: the memorization step, or None if it has not come.
        grokked: the grokking step, or None if it has not come.

    Returns:
        None for a run that does not wait: one that has not memorized, or has grokked.
    """
    if memorized is None or grokked is not None:
        return None
    return forecast(points(metrics), memorized)


def points(metrics: Iterable[Mapping[str, Any]]) -> Iterator[Point]:
    """The points that a forecast is made of; evaluations without a step or a loss are left out."""
    for row in metrics:
        step, loss = number(row.get("step")), number(row.get("val_loss"))
        if step is not None and loss is not None:
            yield int(step), loss
