"""A learning rate that follows a schedule of this package, on any Keras optimizer.

Keras has schedules of its own for the learning rate, but those know the step alone, no events, and
an optimizer made with a number does not give its number back once it has followed one. So, as for
the decay, a method of the optimizer is shadowed: everything in Keras asks
`_get_current_learning_rate`. The optimizer's own learning rate stays the number that it was made
with, and files hold that.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from grokkeras.errors import UserError
from grokkeras.keras_compat.optimizer_tree import tree
from grokkeras.keras_compat.told import Told
from grokkeras.schedules import Schedule

_METHOD = "_get_current_learning_rate"
_SAVING = ("save_own_variables", "load_own_variables")


class ScheduledLearningRate:
    """The learning rate of an optimizer under a schedule, from `attach` to `detach`.

    Args:
        optimizer: a Keras optimizer, or one that wraps another; built or not.
        schedule: values of 0 or more; one that asks for the learning rate or the weights is
            refused.

    Raises:
        UserError: the schedule cannot be a learning rate.
    """

    def __init__(self, optimizer: Any, schedule: Schedule) -> None:
        if schedule.needs_context or schedule.bounds()[0] < 0:
            raise UserError(
                f"A learning rate is 0 or more at every step and depends on steps and events "
                f"alone; {schedule!r} is no schedule for it."
            )
        self.optimizer = optimizer
        self.schedule = schedule
        self._parts = [p for p in tree(optimizer) if len(tree(p)) == 1]
        self._told = [Told(p, schedule.needs_events, "learning_rate_inputs") for p in self._parts]
        self._before: list[tuple[dict[str, Any], str, Any]] = []

    def attach(self) -> None:
        """From here on the optimizer follows the schedule. Steps compiled before do not see it."""
        for part, told in zip(self._parts, self._told, strict=True):
            told.attach()
            self._shadow(part, _METHOD, _current(self.schedule, told))
            if told.names:
                for owner in tree(self.optimizer):
                    for method in _SAVING:
                        self._shadow(owner, method, _hiding(getattr(owner, method), told))

    def detach(self) -> None:
        """Gives the optimizer its own methods and variables back."""
        while self._before:
            attributes, name, before = self._before.pop()
            attributes.pop(name)
            if before is not None:
                attributes[name] = before
        for told in self._told:
            told.detach()

    def tell(self, values: Mapping[str, float]) -> None:
        """Tells the step at which steps events were confirmed; on JAX, with the state in place."""
        for told in self._told:
            told.tell(values)

    def value(self, step: float) -> float:
        """The learning rate at a step, for people to look at."""
        events = self._told[0].read()
        return float(self.schedule(step, events))

    def _shadow(self, optimizer: Any, name: str, method: Any) -> None:
        attributes = vars(optimizer)
        self._before.append((attributes, name, attributes.get(name)))
        # Not by setattr: Keras would look into what is assigned, to track it.
        attributes[name] = types.MethodType(method, optimizer)


def _current(schedule: Schedule, told: Told) -> Any:
    def current(optimizer: Any) -> Any:
        return schedule(optimizer.iterations, told.read())

    return current


def _hiding(method: Any, told: Told) -> Any:
    def call(optimizer: Any, store: Any) -> Any:
        with told.hidden():
            return method(store)

    return call
