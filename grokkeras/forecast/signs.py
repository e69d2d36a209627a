"""What the curves of a run that waits look like at its last evaluation.

Validation loss usually rises while the training examples are learned by heart, turns, and falls for
long before validation accuracy jumps. So its fall is the sign, and where the fall leads to is the
forecast: on the way from its highest point, and lately.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REACHED_LOSS = 0.3
"""The validation loss near which runs grok."""

_FEWEST = 4  # evaluations since it memorized
_LATELY = 0.5  # of the steps since it memorized
_PER_DECADE = 100
_LEAST, _MOST = 1 / 50, 50.0  # steps left, in those waited: what lies beyond is not told apart
_LEAST_ABOVE = 0.05  # of a loss over REACHED_LOSS: one that is there already has a few steps left
_MOST_LOSS = 1e6

Point = tuple[int, float]
"""Step, validation loss."""


@dataclass(frozen=True)
class Signs:
    """A waiting run at one moment.

    Attributes:
        step: the last evaluation's.
        memorized: the memorization step, before `step`.
        fallen: share of the way from the highest loss since it memorized down to `REACHED_LOSS`
            that is done, 0 to 1.
        from_peak: steps until the line from the highest loss to now reaches `REACHED_LOSS`.
        lately: steps until the line through the later half of the steps since it memorized does.
        steady: share of the loss's variance that this line explains where it falls, 0 to 1.
    """

    step: int
    memorized: int
    fallen: float
    from_peak: float
    lately: float
    steady: float

    @property
    def waited(self) -> int:
        """Steps since it memorized."""
        return self.step - self.memorized


def read_signs(curve: Iterable[Point], memorized: int) -> Signs | None:
    """The signs at the curve's last point, from the points up to there alone.

    Args:
        curve: what is not finite, or not after the point before, is left out.
        memorized: the memorization step.

    Returns:
        None while there are too few evaluations since it memorized.
    """
    points = _since(curve, memorized)
    if len(points) < _FEWEST or points[-1][0] <= memorized:
        return None
    steps = [float(step) for step, _ in points]
    # One evaluation that jumps is neither a peak nor a fall.
    losses = _smooth([loss for _, loss in points])
    now, loss = steps[-1], losses[-1]
    waited = now - memorized
    peak = max(range(len(losses)), key=losses.__getitem__)
    highest = losses[peak]
    way = highest - REACHED_LOSS
    fallen = min(1.0, (highest - loss) / way) if way > 0 else 1.0
    late = max(_FEWEST, sum(step >= now - _LATELY * waited for step in steps))
    slope, level, explained = _line(steps[-late:], losses[-late:])
    return Signs(
        points[-1][0],
        memorized,
        fallen,
        _until(loss, (highest - loss) / max(1.0, now - steps[peak]), waited),
        _until(level, -slope, waited),
        explained if slope < 0 else 0.0,
    )


def _since(curve: Iterable[Point], memorized: int) -> list[Point]:
    """The sound points from the memorization step on: the latest in each bin of log step."""
    kept: dict[int, Point] = {}
    last = 0
    for step, loss in curve:
        if step >= max(1, memorized) and step > last and math.isfinite(loss):
            last = step
            within = max(-_MOST_LOSS, min(loss, _MOST_LOSS))
            kept[int(_PER_DECADE * math.log10(step))] = (step, within)
    return list(kept.values())


def _smooth(values: Sequence[float]) -> list[float]:
    """Medians of three; at either end of two."""
    return [statistics.median(values[max(0, k - 1) : k + 2]) for k in range(len(values))]


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float]:
    """Least squares: slope, the line's value at the last x, share of the variance explained."""
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    spread = math.fsum((x - mean_x) ** 2 for x in xs)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    around = math.fsum((y - mean_y) ** 2 for y in ys)
    explained = min(1.0, slope * slope * spread / around) if around > 0 else 0.0
    return slope, mean_y + slope * (xs[-1] - mean_x), explained


def _until(loss: float, rate: float, waited: float) -> float:
    """Steps until a loss that falls by `rate` a step is down, within what is told apart."""
    if rate <= 0:
        return _MOST * waited
    steps = max(_LEAST_ABOVE, loss - REACHED_LOSS) / rate
    return min(max(steps, _LEAST * waited), _MOST * waited)
