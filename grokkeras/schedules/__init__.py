"""Schedules: values that depend on the optimizer step, computed inside the compiled step.

    from grokkeras import schedules
    decay = schedules.Cosine(1.0, 0.1, steps=5000)
    float(decay(2500))                                   # 0.55
    schedules.OnEvent("memorization", before=0.0, after=schedules.WarmUp(200, 8.0))

In a configuration the same is `{schedule: cosine, start: 1.0, end: 0.1, steps: 5000}`; any schedule
stands where a number may vary. `SCHEDULES` maps the names to the classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from grokkeras.errors import UserError
from grokkeras.schedules.base import SCHEDULES, Context, Moment, Schedule, number_or_schedule
from grokkeras.schedules.cyclic import Cyclic
from grokkeras.schedules.feedback import HoldNorm, WithLearningRate
from grokkeras.schedules.on_event import EVENTS, OnEvent
from grokkeras.schedules.pieces import Constant, Piecewise, Step
from grokkeras.schedules.ramps import Cosine, Exponential, Linear
from grokkeras.schedules.warm_up import WarmUp

__all__ = [
    "EVENTS",
    "SCHEDULES",
    "Constant",
    "Context",
    "Cosine",
    "Cyclic",
    "Exponential",
    "HoldNorm",
    "Linear",
    "Moment",
    "OnEvent",
    "Piecewise",
    "Schedule",
    "Step",
    "WarmUp",
    "WithLearningRate",
    "make_schedule",
]


def make_schedule(value: float | Schedule | Mapping[str, object]) -> Schedule:
    """The schedule that a number, a schedule or a schedule's configuration stands for.

    Raises:
        UserError: it is none of them, or its arguments are bad.
    """
    try:
        part = number_or_schedule()(value)
    except ValueError as error:
        raise UserError(f"A schedule is {error}; received {value!r}.") from None
    return part if isinstance(part, Schedule) else Constant(part)
