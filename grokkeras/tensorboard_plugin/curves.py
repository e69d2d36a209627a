"""The points of a curve, as the page gets them: columns of steps and values."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import Any

# Figures of a value: more than a screen resolves, few enough to keep the answer small.
_FIGURES = 5


def once_a_step(points: Iterable[Any]) -> tuple[list[int], list[float]]:
    """Steps in order, each with its latest value.

    A resumed run has written some steps twice; TensorBoard's two loaders differ in whether they
    drop the older points. Here the point that was written last wins.

    Args:
        points: with `step`, `value` and `wall_time`, in any order.
    """
    latest: dict[int, tuple[float, float]] = {}
    for point in points:
        known = latest.get(point.step)
        if known is None or point.wall_time >= known[0]:
            latest[point.step] = (point.wall_time, point.value)
    steps = sorted(latest)
    return steps, [latest[step][1] for step in steps]


def thin(steps: Sequence[int], values: Sequence[float], most: int) -> tuple[list[int], list[float]]:
    """At most about `most` points, evenly spaced on a log step axis; first and last are kept.

    Args:
        steps: rising.
        values: one a step.
        most: how many points to keep, 2 or more.
    """
    if len(steps) <= most:
        return list(steps), list(values)
    low = math.log(max(1, steps[0]))
    width = (math.log(max(1, steps[-1])) - low) / (most - 1) or 1.0
    kept: dict[int, int] = {}
    for place, step in enumerate(steps):
        kept[int((math.log(max(1, step)) - low) / width)] = place  # the last in each bin
    places = sorted({0, len(steps) - 1, *kept.values()})
    return [steps[place] for place in places], [values[place] for place in places]


def columns(steps: Sequence[int], values: Sequence[float], most: int) -> list[list[Any]]:
    """`[steps, values]` for JSON; what is not finite becomes None."""
    steps, values = thin(steps, values, most)
    return [list(steps), [_short(value) for value in values]]


def value_at(steps: Sequence[int], values: Sequence[float], step: int) -> float | None:
    """The value at `step`, or None where there is no point."""
    place = bisect.bisect_left(steps, step)
    return values[place] if place < len(steps) and steps[place] == step else None


def _short(value: float) -> float | None:
    return float(f"{value:.{_FIGURES}g}") if math.isfinite(value) else None
