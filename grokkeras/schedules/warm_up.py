"""A gentle beginning for any other schedule.

High weight decay from the first step on has a cliff past which a model never fits its data;
growing into it moves that cliff away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grokkeras.schedules.arguments import Number, Steps
from grokkeras.schedules.base import Moment, Schedule, Value, bounds_of, register, value_of
from grokkeras.schedules.lazy_ops import ops


@register("warm_up")
@dataclass(frozen=True)
class WarmUp(Schedule):
    """From `start` in a straight line to the first value of `then`, and then that.

    Args:
        steps: optimizer steps of the warm-up, 1 or more.
        then: what follows: a number, or a schedule counted from the end of the warm-up.
        start: value at step 0. Default 0.
    """

    steps: Steps
    then: Value
    start: Number = 0.0

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        then = value_of(self.then, now.since(float(self.steps)))
        share = ops.minimum(now.step / self.steps, 1.0)
        return ops.where(now.step >= self.steps, then, self.start * (1.0 - share) + then * share)

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return bounds_of(self.start, self.then)
