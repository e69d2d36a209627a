"""What a schedule cannot do where it stands, and what a run should be told of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from grokkeras.config.draft import Draft, UnsoundError
from grokkeras.config.explain import Words
from grokkeras.config.schedule_options import (
    OnEvent,
    Piecewise,
    Ramp,
    ScheduleOptions,
    WarmUp,
)
from grokkeras.errors import Fault, UserError
from grokkeras.schedules import Schedule, make_schedule

if TYPE_CHECKING:
    from grokkeras.config.schema import RunConfig

LEARNING_RATE = "optimizer.learning_rate"
WEIGHT_DECAY = "optimizer.weight_decay"
ADAM_WEIGHT_DECAY = "optimizer.adam_weight_decay"
DECAY_GROUPS = "optimizer.weight_decay_groups"
DROPOUT = "dropout.rate"

# What may vary over training, with the words for what it must be at every step.
VARYING = {
    LEARNING_RATE: "at 0 or more, and somewhere above it",
    WEIGHT_DECAY: "at 0 or more",
    ADAM_WEIGHT_DECAY: "at 0 or more",
    DROPOUT: "from 0 to below 1",
}


def as_schedule(value: Any) -> Schedule | None:
    """The schedule that a value of the configuration stands for; None: it is a number.

    Raises:
        UserError: its arguments do not go together.
    """
    return make_schedule(value.model_dump()) if isinstance(value, ScheduleOptions) else None


def schedules_of(config: RunConfig) -> dict[str, Schedule]:
    """What varies in a run: dotted key to schedule."""
    schedules = {dotted: as_schedule(_value(config, dotted)) for dotted in VARYING}
    return {dotted: schedule for dotted, schedule in schedules.items() if schedule is not None}


def decay_groups_of(config: RunConfig) -> dict[str, float | Schedule]:
    """The decays that some weights have of their own: pattern to number or schedule."""
    groups = config.optimizer.weight_decay_groups
    return {
        pattern: make_schedule(value.model_dump()) if isinstance(value, ScheduleOptions) else value
        for pattern, value in groups.items()
    }


def schedule_notices(config: RunConfig) -> list[str]:
    """What to tell of schedules that a run of at most `train.max_steps` steps does not finish."""
    most = config.train.max_steps
    values = {dotted: _value(config, dotted) for dotted in VARYING}
    groups = config.optimizer.weight_decay_groups
    values |= {f"{DECAY_GROUPS}.{pattern}": value for pattern, value in groups.items()}
    return [
        f"{dotted}: its schedule goes on to step {last:,}, beyond train.max_steps {most:,}."
        for dotted, value in values.items()
        if (last := _last_step(value)) > most
    ]


def schedules_fit(draft: Draft) -> Iterator[Fault]:
    """Arguments go together, and values stay where they make sense."""
    for dotted, value in _values(draft):
        if not isinstance(value, ScheduleOptions):
            continue
        decays = dotted.startswith((WEIGHT_DECAY, ADAM_WEIGHT_DECAY))
        words = VARYING.get(dotted, VARYING[WEIGHT_DECAY])
        shown = Words(f"the schedule {value.schedule}")  # type: ignore[attr-defined]
        try:
            schedule = make_schedule(value.model_dump())
        except UserError as error:
            yield Fault(dotted, shown, f"sound arguments ({str(error).rstrip('.')})")
            continue
        if schedule.needs_context and not decays:
            words = f"a schedule of steps or events: {_context_words(schedule)}"
            yield Fault(dotted, shown, words)
            continue
        low, high = schedule.bounds()
        too_high = high >= 1 if dotted == DROPOUT else dotted == LEARNING_RATE and high <= 0
        if low < 0 or too_high:
            arrived = Words(f"a schedule with values from {low:g} to {high:g}")
            yield Fault(dotted, arrived, f"one whose values stay {words}")


def _values(draft: Draft) -> Iterator[tuple[str, Any]]:
    """What may vary, as far as it is sound: dotted key and value."""
    for dotted in VARYING:
        try:
            yield dotted, draft[dotted]
        except (UnsoundError, AttributeError):  # only Muon has a second decay
            continue
    with contextlib.suppress(UnsoundError):
        for pattern, value in draft[DECAY_GROUPS].items():
            yield f"{DECAY_GROUPS}.{pattern}", value


def annealing_has_dropout(draft: Draft) -> Iterator[Fault]:
    """A model without hidden layers has no dropout to anneal."""
    if not isinstance(draft[DROPOUT], ScheduleOptions) or draft["model.name"] != "mlp":
        return
    summed = draft["model.encoding"] == "embedding" and draft["model.combine"] == "sum"
    if draft["model.num_layers"] == 0 and not summed:
        yield Fault(
            DROPOUT,
            Words("a schedule"),
            "0, since an mlp with num_layers: 0 has no dropout that could follow it",
        )


def _value(config: RunConfig, dotted: str) -> Any:
    section, key = dotted.split(".")
    return getattr(getattr(config, section), key, None)


def _last_step(value: Any) -> int:
    """The step at which a schedule ends, on its own clock; 0 where it has no end, or is over."""
    match value:
        case Ramp():
            return value.steps
        case WarmUp():
            return value.steps + _last_step(value.then)
        case Piecewise():
            return value.boundaries[-1] + _last_step(value.values[-1])
        case OnEvent():
            return max(_last_step(value.before), _last_step(value.after))
    return 0


def _context_words(schedule: Schedule) -> str:
    names = " and ".join(name.replace("_", " ") for name in schedule.needs_context)
    return f"only a weight decay can follow the {names}"


CHECKS = (schedules_fit, annealing_has_dropout)
