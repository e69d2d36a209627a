"""What varies over a run by its configuration: learning rate, weight decay and dropout.

A schedule is put into optimizer and model before the step is compiled, and computed in it. From
then on it has to be told of events, and asked what to write down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokkeras.annealing import Annealed, anneal_dropout
from grokkeras.annealing.anneal import plan_annealing
from grokkeras.annealing.find import find_dropout
from grokkeras.callbacks.weight_decay_rules import DecayRules
from grokkeras.config import RunConfig
from grokkeras.config.schedule_checks import (
    ADAM_WEIGHT_DECAY,
    DROPOUT,
    LEARNING_RATE,
    WEIGHT_DECAY,
    decay_groups_of,
    schedules_of,
)
from grokkeras.detection import Event
from grokkeras.keras_compat.dropout import holders
from grokkeras.keras_compat.learning_rate import ScheduledLearningRate
from grokkeras.keras_compat.optimizer_tree import tree
from grokkeras.keras_compat.weight_decay import ScheduledDecay, attached_to
from grokkeras.optimizers import awaited_events, tell_event
from grokkeras.optimizers.patterns import Patterns
from grokkeras.schedules import Constant, Schedule
from grokkeras.training.program import Program

# With what a dropout layer is made whose schedule never lies between 0 and 1: not 0, or there
# would be none.
_ANY_RATE = 0.5


def plain_optimizer_options(config: RunConfig) -> Any:
    """`config.optimizer` with numbers alone: what the optimizer is made with."""
    schedules = schedules_of(config)
    numbers: dict[str, float] = {}
    if LEARNING_RATE in schedules:
        numbers["learning_rate"] = schedules[LEARNING_RATE].bounds()[1]
    for dotted in (WEIGHT_DECAY, ADAM_WEIGHT_DECAY):
        if dotted in schedules:
            numbers[dotted.removeprefix("optimizer.")] = 0.0
    return config.optimizer.model_copy(update=numbers)


def plain_dropout_rate(config: RunConfig) -> float:
    """The rate that the model is made with: the number, or the schedule's largest."""
    schedule = schedules_of(config).get(DROPOUT)
    if schedule is None:
        assert isinstance(config.dropout.rate, float)
        return config.dropout.rate
    return schedule.bounds()[1] or _ANY_RATE


class Varying:
    """The schedules of a run, put into its optimizer and model.

    Args:
        config: the run's configuration.
        model: its model, not yet compiled.
        optimizer: its optimizer, built or not.

    Raises:
        UserError: a schedule finds nothing that it could drive.
    """

    def __init__(self, config: RunConfig, model: Any, optimizer: Any) -> None:
        self._config = config
        self._told: dict[str, float] = {}
        self._rate: ScheduledLearningRate | None = None
        self._decay: ScheduledDecay | None = None
        schedules = schedules_of(config)
        if LEARNING_RATE in schedules:
            self._rate = ScheduledLearningRate(optimizer, schedules[LEARNING_RATE])
            self._rate.attach()
        options = config.optimizer
        groups = decay_groups_of(config)
        if groups or WEIGHT_DECAY in schedules or ADAM_WEIGHT_DECAY in schedules:
            second = getattr(options, "adam_weight_decay", None)
            rules = DecayRules(
                schedules.get(WEIGHT_DECAY, options.weight_decay),
                adam_schedule=schedules.get(ADAM_WEIGHT_DECAY, second),
            ).rules
            if groups:
                _check_patterns(groups, model)
                rules = (*DecayRules(groups).rules, *rules)
            _turn_decay_on(optimizer)
            self._decay = ScheduledDecay(optimizer, rules)
            self._decay.attach()
        self._dropout = _drive_dropout(schedules.get(DROPOUT), config, model, optimizer)
        self._second_decay = ADAM_WEIGHT_DECAY in schedules
        grouped = [value for value in groups.values() if isinstance(value, Schedule)]
        self._needs = {name for s in [*schedules.values(), *grouped] for name in s.needs_events}
        self._needs |= awaited_events(optimizer)

    def tell(self, events: Iterable[Event], program: Program) -> None:
        """Tells the step what has been confirmed so far; does nothing where nothing is new.

        Args:
            events: all of the run's.
            program: the run's program; on JAX it carries the state.
        """
        told: dict[str, float] = {}
        for event in events:
            # What only the end of a run confirms is open again where the run goes on.
            if event.event in self._needs and not event.detail.get("end_of_run"):
                told.setdefault(event.event, float(event.written_at))
        if told == self._told:
            return
        program.to_model()
        if self._rate is not None:
            self._rate.tell(told)
        if self._decay is not None:
            self._decay.tell(told)
        if self._dropout is not None:
            self._dropout.set_events(told)
        for name in awaited_events(program.optimizer):
            tell_event(program.optimizer, name, told.get(name, math.inf))
        program.from_model()
        self._told = told

    def values(self, program: Program) -> dict[str, float]:
        """What the last update used, as a line of metrics.jsonl has it.

        Schedules that callbacks brought along are seen too.
        """
        last_update = max(program.step - 1, 0)
        values = {"learning_rate": self._learning_rate(program, last_update)}
        values |= self._weight_decays(program, last_update)
        values["dropout_rate"] = self._dropout_rate(program, last_update)
        return values

    def _learning_rate(self, program: Program, step: int) -> float:
        if self._rate is not None:
            return _short(self._rate.value(step))
        # A callback may have changed the configuration's.
        configured = self._config.optimizer.learning_rate
        assert isinstance(configured, float)
        rate = float(program.optimizer.learning_rate)
        return configured if np.float32(configured) == np.float32(rate) else rate

    def _weight_decays(self, program: Program, step: int) -> dict[str, float]:
        decay = attached_to(program.optimizer)
        if decay is None:
            configured = self._config.optimizer.weight_decay
            assert isinstance(configured, float)
            return {"weight_decay": configured}
        if any(s.needs_context for rule in decay.rules for s in rule.schedules.values()):
            program.to_model()
        # The weights that no group takes stand for all; a callback's groups leave none.
        place = next((i for i, rule in enumerate(decay.rules) if not rule.label), 0)
        first = {name: _short(value) for name, value in decay.values(step)[place].items()}
        named = {"weight_decay": next(iter(first.values()))}
        if self._second_decay and "adam_weight_decay" in first:
            named["adam_weight_decay"] = first["adam_weight_decay"]
        return named

    def _dropout_rate(self, program: Program, step: int) -> float:
        holder = next(iter(holders(program.model)), None)
        if holder is not None:
            return _short(holder.rate_at(step))
        configured = self._config.dropout.rate
        assert isinstance(configured, float)
        return configured


def _drive_dropout(
    schedule: Schedule | None, config: RunConfig, model: Any, optimizer: Any
) -> Annealed | None:
    """Makes dropout follow its schedule, or its number; None where there is none.

    A number too, since Keras' own masks cost more: on TensorFlow 36 times the whole step.
    """
    if schedule is not None:
        return anneal_dropout(model, schedule, optimizer=optimizer)
    rate = plain_dropout_rate(config)
    if not rate or not find_dropout(model).layers:
        return None
    # Not lasting, so that a DropoutScheduler among the callbacks takes its place.
    annealed = plan_annealing(model, Constant(rate), optimizer=optimizer)
    annealed.attach()
    return annealed


def _check_patterns(groups: Mapping[str, Any], model: Any) -> None:
    """Refuses a pattern that matches no weight, as the step would once it is traced."""
    paths = [variable.path for variable in model.trainable_variables]
    Patterns("optimizer.weight_decay_groups", list(groups)).check(paths)


def _turn_decay_on(optimizer: Any) -> None:
    """Sets decays of None to 0: Keras skips those, and Adam and SGD are made so."""
    for part in tree(optimizer):
        if len(tree(part)) == 1 and getattr(part, "weight_decay", 0.0) is None:
            part.weight_decay = 0.0


def _short(value: float) -> float:
    """A float32 in the digits that it has."""
    return float(f"{value:.7g}")
