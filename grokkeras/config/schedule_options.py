"""What a value that varies over training can be told: one class a schedule, chosen by `schedule`.

    optimizer:
      weight_decay: {schedule: cosine, start: 1.0, end: 0.1, steps: 5000}

Any number may stand in a schedule's place, and a schedule in place of some of its numbers. Names,
arguments and defaults are those of `grokkeras.schedules`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge
from pydantic import Discriminator, Field, Tag

from grokkeras.config.base import Decay, Section, Steps
from grokkeras.config.base import NotNegative as NotNegativeNumber
from grokkeras.config.base import Positive as PositiveNumber

NUMBER, SCHEDULE = "number", "schedule"


def _kind(value: Any) -> str:
    return SCHEDULE if isinstance(value, (Mapping, Section)) else NUMBER


class ScheduleOptions(Section):
    """What all schedules have in common."""


class Constant(ScheduleOptions):
    """The same value at every step."""

    schedule: Literal["constant"]
    value: float


class Ramp(ScheduleOptions):
    """From one value to another, and that one ever after.

    Attributes:
        start: value at step 0.
        end: value from step `steps` on.
        steps: optimizer steps that the way takes.
    """

    start: float
    end: float
    steps: Steps


class Linear(Ramp):
    """From start to end in a straight line."""

    schedule: Literal["linear"]


class Cosine(Ramp):
    """From start to end in half a cosine wave, flat at both ends."""

    schedule: Literal["cosine"]


class Exponential(Ramp):
    """From start to end by the same factor every step."""

    schedule: Literal["exponential"]
    start: PositiveNumber
    end: PositiveNumber


class Step(ScheduleOptions):
    """A staircase: multiplied by a factor at every so many steps.

    Attributes:
        start: value of the first stair.
        factor: what each stair multiplies by.
        every: optimizer steps a stair.
        end: the value stays here once a stair would pass it.
    """

    schedule: Literal["step"]
    start: NotNegativeNumber
    factor: PositiveNumber
    every: Steps
    end: NotNegativeNumber | None = None


class Cyclic(ScheduleOptions):
    """Up and down, over and over.

    Attributes:
        low: value at the beginning of a cycle.
        high: value in its middle.
        period: optimizer steps a cycle.
        shape: `cosine`, smooth, or `triangle`.
    """

    schedule: Literal["cyclic"]
    low: float
    high: float
    period: Annotated[Steps, Ge(2)]
    shape: Literal["cosine", "triangle"] = "cosine"


class Piecewise(ScheduleOptions):
    """One piece after another, each a number or a schedule.

    Attributes:
        boundaries: steps at which the next piece begins.
        values: one more than boundaries.
    """

    schedule: Literal["piecewise"]
    boundaries: Annotated[list[Steps], Field(min_length=1)]
    values: Annotated[list[Value], Field(min_length=2)]


class WarmUp(ScheduleOptions):
    """Grows in a straight line to a value or to the beginning of another schedule.

    Attributes:
        steps: optimizer steps that the way up takes.
        then: what follows.
        start: value at step 0.
    """

    schedule: Literal["warm_up"]
    steps: Steps
    then: Value
    start: float = 0.0


class OnEvent(ScheduleOptions):
    """One value until the model memorizes, stalls, groks or collapses, another from then on.

    Attributes:
        event: which of them; it counts from the evaluation that confirms it.
        before: until then.
        after: from then on; a schedule counts from there.
    """

    schedule: Literal["on_event"]
    event: Literal["memorization", "plateau", "grokking", "collapse"]
    before: Value
    after: Value


class HoldNorm(ScheduleOptions):
    """The weight decay that holds the norm of the weights at a target.

    Attributes:
        target: the norm.
        horizon: steps in which the excess falls to 1/e.
    """

    schedule: Literal["hold_norm"]
    target: NotNegativeValue
    horizon: Annotated[float, Ge(1)] = 100.0


class WithLearningRate(ScheduleOptions):
    """A weight decay that follows the learning rate.

    Attributes:
        base: its value where the learning rate is `reference`.
        reference: a learning rate.
        power: of their ratio, by which `base` is multiplied.
    """

    schedule: Literal["with_learning_rate"]
    base: NotNegativeValue
    reference: PositiveNumber
    power: float = 1.0


AnySchedule = Annotated[
    Constant
    | Linear
    | Cosine
    | Exponential
    | Step
    | Piecewise
    | Cyclic
    | WarmUp
    | OnEvent
    | HoldNorm
    | WithLearningRate,
    Field(discriminator="schedule"),
]
_Scheduled = Annotated[AnySchedule, Tag(SCHEDULE)]

Value = Annotated[Annotated[float, Tag(NUMBER)] | _Scheduled, Discriminator(_kind)]
PositiveValue = Annotated[Annotated[PositiveNumber, Tag(NUMBER)] | _Scheduled, Discriminator(_kind)]
ShareValue = Annotated[Annotated[Decay, Tag(NUMBER)] | _Scheduled, Discriminator(_kind)]
NotNegativeValue = Annotated[
    Annotated[NotNegativeNumber, Tag(NUMBER)] | _Scheduled, Discriminator(_kind)
]

# Some name others that are defined after them.
for _class in (Piecewise, WarmUp, OnEvent, HoldNorm, WithLearningRate):
    _class.model_rebuild()

# Name to class.
SCHEDULE_VARIANTS: Mapping[str, type[ScheduleOptions]] = {
    get_args(cls.model_fields["schedule"].annotation)[0]: cls
    for cls in get_args(get_args(AnySchedule)[0])
}
