"""A curve kept at log-spaced steps, so that a million evaluations stay small."""

from __future__ import annotations

import math


class Curve:
    """Evaluations thinned to `points_per_decade` of the step; steps must grow.

    A point is kept where the log of its step is far enough past the last one kept, so which points
    are kept depends on the steps alone.

    Args:
        points_per_decade: the most points kept per factor of ten in steps. Default 400, a point
            every 0.6 %.

    Attributes:
        steps, values: the points kept, in order; step 0 has no place on a log axis.
    """

    def __init__(self, points_per_decade: int = 400) -> None:
        self._factor = 10 ** (1 / points_per_decade)
        self.steps: list[int] = []
        self.values: list[float] = []

    def add(self, step: int, value: float) -> None:
        """Takes in one evaluation."""
        if step <= 0 or not math.isfinite(value):
            return
        if not self.steps or step >= self.steps[-1] * self._factor:
            self.steps.append(step)
            self.values.append(value)
