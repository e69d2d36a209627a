"""From one value to another in a number of steps, then constant: linear, cosine, exponential."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Any

from grokkeras.schedules.arguments import Number, Positive, Steps
from grokkeras.schedules.base import Moment, Schedule, register
from grokkeras.schedules.lazy_ops import ops


@dataclass(frozen=True)
class Ramp(Schedule):
    """From `start` at step 0 to `end` at step `steps`, and `end` ever after.

    Args:
        start: value at step 0.
        end: value from step `steps` on.
        steps: optimizer steps that the way takes, 1 or more.
    """

    start: Number
    end: Number
    steps: Steps

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        share = ops.minimum(now.step / self.steps, 1.0)
        # A compiler may turn the division into a product, which misses 1 by a rounding error.
        return ops.where(now.step >= self.steps, self.end, self._between(share))

    @abc.abstractmethod
    def _between(self, share: Any) -> Any:
        """The value where `share`, from 0 to 1, of the way is done."""

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return min(self.start, self.end), max(self.start, self.end)


@register("linear")
@dataclass(frozen=True)
class Linear(Ramp):
    """A straight line: `start + (end - start) * step / steps`. Arguments as in `Ramp`."""

    def _between(self, share: Any) -> Any:
        return self.start * (1.0 - share) + self.end * share


@register("cosine")
@dataclass(frozen=True)
class Cosine(Ramp):
    """Half a cosine wave: flat at both ends, steepest in the middle. Arguments as in `Ramp`.

    Reference: Loshchilov and Hutter 2017 (1608.03983), equation 5, without restarts.
    """

    def _between(self, share: Any) -> Any:
        weight = 0.5 * (1.0 + ops.cos(math.pi * share))
        return self.start * weight + self.end * (1.0 - weight)


@register("exponential")
@dataclass(frozen=True)
class Exponential(Ramp):
    """The same factor every step: `start * (end / start) ** (step / steps)`.

    Args:
        start: value at step 0, above 0.
        end: value from step `steps` on, above 0.
        steps: optimizer steps that the way takes, 1 or more.
    """

    start: Positive
    end: Positive

    def _between(self, share: Any) -> Any:
        return ops.exp(math.log(self.start) * (1.0 - share) + math.log(self.end) * share)
