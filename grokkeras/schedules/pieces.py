"""Values in pieces: one constant, a constant that changes by a factor, one piece after another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from grokkeras.schedules.arguments import (
    NotNegative,
    Number,
    Positive,
    Steps,
    number,
    optional,
    several,
    whole,
)
from grokkeras.schedules.base import (
    Moment,
    Schedule,
    bounds_of,
    number_or_schedule,
    register,
    value_of,
)
from grokkeras.schedules.lazy_ops import ops


@register("constant")
@dataclass(frozen=True)
class Constant(Schedule):
    """The same value at every step.

    Args:
        value: the value.
    """

    value: Number

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        return self.value

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return self.value, self.value


@register("step")
@dataclass(frozen=True)
class Step(Schedule):
    """A staircase: multiplied by `factor` every `every` steps.

    Args:
        start: value of the first `every` steps, 0 or more.
        factor: what each stair multiplies by, above 0.
        every: optimizer steps a stair, 1 or more.
        end: the value stays here once a stair would pass it; needed where `factor` is above 1.
            Default None: goes on towards 0.
    """

    start: NotNegative
    factor: Positive
    every: Steps
    end: Annotated[float | None, optional(number(least=0))] = None

    def _faults(self) -> Iterator[str]:
        if self.factor > 1 and self.end is None:
            yield f"factor {self.factor:g} grows without end: give end, the largest value"
        elif self.end is not None and (self.end - self.start) * (self.factor - 1) < 0:
            yield (
                f"end {self.end:g} lies on the other side of start {self.start:g} than where "
                f"factor {self.factor:g} leads"
            )

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        # Half a step more, so that a rounding error cannot move a stair.
        stairs = ops.floor((now.step + 0.5) / self.every)
        value = self.start * ops.exp(math.log(self.factor) * stairs)
        if self.end is None:
            return value
        return ops.minimum(value, self.end) if self.factor > 1 else ops.maximum(value, self.end)

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        other = self.end
        if other is None:
            other = 0.0 if self.factor < 1 else self.start
        return min(self.start, other), max(self.start, other)


@register("piecewise")
@dataclass(frozen=True)
class Piecewise(Schedule):
    """One piece after another.

    `Piecewise([100, 600], [0.0, Linear(0.0, 1.0, steps=500), 1.0])`: 0 for 100 steps, then up to 1
    in 500, then 1.

    Args:
        boundaries: steps at which the next piece begins, rising, each 1 or more.
        values: one more than boundaries: what holds before the first, between them, and from the
            last on. A number, or a schedule counted from the beginning of its piece.
    """

    boundaries: Annotated[Sequence[int], several(whole(1), 1)]
    values: Annotated[Sequence[float | Schedule], several(number_or_schedule(), 2)]

    def _faults(self) -> Iterator[str]:
        if list(self.boundaries) != sorted(set(self.boundaries)):
            yield f"boundaries rise from each to the next; received {list(self.boundaries)}"
        if len(self.values) != len(self.boundaries) + 1:
            yield (
                f"values are one more than boundaries, {len(self.boundaries) + 1}; "
                f"received {len(self.values)}"
            )

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        value = value_of(self.values[0], now)
        for start, piece in zip(self.boundaries, self.values[1:], strict=True):
            value = ops.where(now.step >= start, value_of(piece, now.since(float(start))), value)
        return value

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return bounds_of(*self.values)
