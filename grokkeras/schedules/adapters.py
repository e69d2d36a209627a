"""Things that are no schedules of ours, dressed as one: Keras' own, and a number from the host.

Neither can be written in a configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from grokkeras.errors import UserError
from grokkeras.schedules.base import Moment, Schedule


def _anything(value: Any) -> Any:
    return value


class _Adapter(Schedule):
    def bounds(self) -> tuple[float, float]:
        """Not known beforehand: taken to be sound."""
        return 0.0, math.inf

    def get_config(self) -> dict[str, Any]:
        """Refuses."""
        raise UserError(f"{self!r} cannot be written in a configuration.")


@dataclass(frozen=True)
class FromKeras(_Adapter):
    """A `keras.optimizers.schedules.LearningRateSchedule`, for any value that varies.

    Args:
        schedule: called with the step, within the compiled step.
    """

    schedule: Annotated[Any, _anything]

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        return self.schedule(now.step)


@dataclass(frozen=True)
class FromHost(_Adapter):
    """A number that the host gives before each step.

    Args:
        key: where it stands among the events.
    """

    key: Annotated[str, _anything]

    @property
    def needs_events(self) -> tuple[str, ...]:
        """See `Schedule`."""
        return (self.key,)

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        return now.events[self.key]
