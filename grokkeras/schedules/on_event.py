"""A value that changes when the model memorizes, stalls, groks or collapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from grokkeras.schedules.arguments import one_of
from grokkeras.schedules.base import Moment, Schedule, Value, bounds_of, register, value_of
from grokkeras.schedules.lazy_ops import ops

EVENTS = ("memorization", "plateau", "grokking", "collapse")


@register("on_event")
@dataclass(frozen=True)
class OnEvent(Schedule):
    """`before` until an event is confirmed, `after` from then on.

    It switches at the evaluation that confirms the event, which is later than the event's own
    step: with a patience of 5, by four evaluations. `before` counts steps from the beginning of
    training, `after` from the step of the confirmation, so
    `OnEvent("memorization", 0.0, WarmUp(200, 8.0))` grows for 200 steps from there.

    Args:
        event: `memorization`, `plateau`, `grokking` or `collapse`, as a
            `grokkeras.detection.Detector` names them.
        before: a number or a schedule.
        after: a number or a schedule, in which a further `OnEvent` may stand.
    """

    event: Annotated[str, one_of(EVENTS)]
    before: Value
    after: Value

    @property
    def needs_events(self) -> tuple[str, ...]:
        """See `Schedule`."""
        return tuple(sorted({self.event, *super().needs_events}))

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        confirmed = now.events[self.event]
        after = value_of(self.after, now.since(confirmed))
        return ops.where(now.step >= confirmed, after, value_of(self.before, now))

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return bounds_of(self.before, self.after)
