"""Reads what `WeightDecayScheduler` was given: which variables, and how their decay varies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from grokkeras.errors import UserError
from grokkeras.keras_compat.optimizer_tree import ATTRIBUTES
from grokkeras.keras_compat.weight_decay import DecayRule
from grokkeras.schedules import Schedule, make_schedule
from grokkeras.schedules.adapters import FromHost, FromKeras

Decay = float | Schedule | Mapping[str, Any] | Callable[[int], float]
Choice = Callable[[Any], bool] | str | Iterable[str]


class DecayRules:
    """The rules that a scheduler's arguments stand for.

    Args:
        schedule, variables, adam_schedule: see `WeightDecayScheduler`.

    Attributes:
        rules: one, or one a pattern.
        host: plain Python callables, by the name under which their numbers reach the step.
        events: events that the schedules wait for, sorted.

    Raises:
        UserError: an argument makes no sense.
    """

    def __init__(
        self, schedule: Any, variables: Choice | None = None, adam_schedule: Any = None
    ) -> None:
        self.host: dict[str, Callable[[int], float]] = {}
        self.rules = self._read(schedule, variables, adam_schedule)
        made = [s for rule in self.rules for s in rule.schedules.values()]
        self.events = sorted({name for s in made for name in s.needs_events} - set(self.host))

    def host_values(self, step: int) -> dict[str, float]:
        """What the plain Python callables say at a step.

        Raises:
            UserError: that is no decay.
        """
        values = {}
        for key, function in self.host.items():
            received = function(step)
            try:
                values[key] = float(received)
            except (TypeError, ValueError):
                values[key] = math.nan
            if not 0 <= values[key] < math.inf:
                raise UserError(
                    f"The weight decay function gave {received!r} at step {step:,}; it must give "
                    f"a finite number, 0 or more."
                )
        return values

    def named(self, values: list[dict[str, float]]) -> dict[str, float]:
        """`ScheduledDecay.values` as they stand in the logs.

        Muon's second decay is named only where it differs.
        """
        first, second = ATTRIBUTES
        logs: dict[str, float] = {}
        for rule, decays in zip(self.rules, values, strict=True):
            tail = f"/{rule.label}" if rule.label else ""
            if rule.schedules[first] is rule.schedules[second]:
                logs[f"{first}{tail}"] = next(iter(decays.values()))
            else:
                logs |= {f"{name}{tail}": value for name, value in decays.items()}
        return logs

    def _read(
        self, schedule: Any, variables: Choice | None, adam_schedule: Any
    ) -> tuple[DecayRule, ...]:
        if not isinstance(schedule, Mapping) or "schedule" in schedule:
            decays = [self._schedule(schedule)]
            decays.append(decays[0] if adam_schedule is None else self._schedule(adam_schedule))
            return (_rule("", _choice(variables), decays),)
        if variables is not None or adam_schedule is not None:
            raise UserError(
                "WeightDecayScheduler: a mapping of patterns says already which variables get "
                "which decay; leave out variables and adam_schedule."
            )
        if not schedule:
            raise UserError("WeightDecayScheduler: the mapping of patterns is empty.")
        return tuple(
            _rule(pattern, _matching([pattern]), [self._schedule(decay)] * 2)
            for pattern, decay in schedule.items()
        )

    def _schedule(self, decay: Any) -> Schedule:
        if isinstance(decay, keras.optimizers.schedules.LearningRateSchedule):
            return FromKeras(decay)
        if callable(decay) and not isinstance(decay, Schedule):
            key = f"host/{len(self.host)}"
            self.host[key] = decay
            return FromHost(key)
        schedule = make_schedule(decay)
        low, _ = schedule.bounds()
        if low < 0:
            raise UserError(
                f"Weight decay is 0 or more; {schedule!r} goes down to {low:g}, at which weights "
                f"would grow."
            )
        return schedule


def _rule(label: str, covers: Callable[[Any], bool], decays: list[Schedule]) -> DecayRule:
    return DecayRule(covers, dict(zip(ATTRIBUTES, decays, strict=True)), label)


def _choice(variables: Choice | None) -> Callable[[Any], bool]:
    if variables is None:
        return lambda variable: True
    if callable(variables):
        return variables
    return _matching([variables] if isinstance(variables, str) else list(variables))


def _matching(patterns: list[Any]) -> Callable[[Any], bool]:
    try:
        compiled = [re.compile(pattern) for pattern in patterns]
    except (re.error, TypeError) as error:
        raise UserError(
            f"WeightDecayScheduler: patterns are regular expressions that are searched in "
            f"variable.path; received {patterns!r} ({error})."
        ) from None
    if not compiled:
        raise UserError("WeightDecayScheduler: the list of patterns is empty.")
    return lambda variable: any(pattern.search(variable.path) for pattern in compiled)
