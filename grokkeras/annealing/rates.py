"""Where an annealed layer's rate comes from: a variable, or a schedule of the optimizer's steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.dropout import is_tracing
from grokkeras.keras_compat.hidden_variable import scalar
from grokkeras.keras_compat.optimizer_step import iterations, steps_done
from grokkeras.schedules import Constant, Schedule, make_schedule
from grokkeras.schedules.adapters import FromHost, FromKeras

# While a step is traced the rate has no number. Third-party code that asks `if layer.rate > 0:`
# must not trace the layer away because its schedule starts at 0.
_SOME = 1e-7

# Where a schedule that does not know its bounds is looked at.
_PROBES = (0, *(10**k for k in range(8)))


def check_rate(value: Any) -> float:
    """`value` as a rate.

    Raises:
        UserError: it is no number in [0, 1].
    """
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if isinstance(value, bool) or not 0.0 <= rate <= 1.0:
        raise UserError(
            f"A dropout rate is a number from 0 to 1, the share to drop; received {value!r}."
        )
    return rate


def as_schedule(value: Any) -> Schedule:
    """The schedule of a dropout rate that `value` stands for.

    Args:
        value: a number, a `grokkeras.schedules` schedule or its configuration, or one of Keras'
            learning rate schedules.

    Raises:
        UserError: it is none of them, leaves [0, 1], or depends on what a forward pass does not
            know.
    """
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        schedule: Schedule = FromKeras(value)
    elif isinstance(value, Schedule):
        schedule = value
    elif isinstance(value, Mapping):
        schedule = make_schedule(value)
    else:
        schedule = Constant(check_rate(value))
    if schedule.needs_context:
        raise UserError(
            f"{schedule!r} needs {' and '.join(schedule.needs_context)}, which only weight decay "
            f"knows. Give dropout a schedule of the step or of an event."
        )
    low, high = schedule.bounds()
    if math.isinf(high) and not isinstance(schedule, FromHost):
        values = [float(schedule(step)) for step in _PROBES]
        low, high = min(values), max(values)
    if not isinstance(schedule, FromHost) and not (low >= 0.0 and high <= 1.0):
        raise UserError(
            f"A dropout rate stays between 0 and 1; {schedule!r} takes values from {low:g} to "
            f"{high:g}."
        )
    return schedule


class VariableRate:
    """A rate that stands in a variable, and changes when somebody assigns to it.

    Args:
        value: the rate to begin with.
        model: the model whose state must be in place before the variable is read or set.
    """

    def __init__(self, value: float, model: keras.Model) -> None:
        self._model = model
        self._last = value
        self._variable = scalar(value, "dropout_rate")
        self.variables = (self._variable,)

    def in_step(self) -> Any:
        """See `keras_compat.dropout.Rate`."""
        return self._variable.value

    def now(self) -> float:
        """See `keras_compat.dropout.Rate`."""
        if is_tracing():
            return max(self._last, _SOME)
        _settle(self._model)
        self._last = float(self._variable.value)
        return self._last

    def at(self, step: int) -> float:
        """The present rate, whatever the step."""
        return self.now()

    def assign(self, value: float) -> None:
        """See `keras_compat.dropout.Rate`."""
        rate = check_rate(value)
        _settle(self._model)
        self._variable.assign(rate)


class ScheduledRate:
    """A rate that is a schedule of `optimizer.iterations`, computed where the step runs.

    Args:
        schedule: values in [0, 1]; what the step takes beyond that is cut off.
        model: the model that is fitted.
        optimizer: whose steps count; None: the one that `model` is compiled with, whenever asked.
    """

    def __init__(self, schedule: Schedule, model: keras.Model, optimizer: Any = None) -> None:
        self.schedule = schedule
        self._model = model
        self._optimizer = optimizer
        self._events = {
            name: scalar(math.inf, f"dropout_{name.replace('/', '_')}")
            for name in schedule.needs_events
        }
        self.variables = tuple(self._events.values())
        self._last = _SOME
        self._computed_for: tuple[float, ...] | None = None
        self._computed: Any = None

    def in_step(self) -> Any:
        """See `keras_compat.dropout.Rate`."""
        step = iterations(self._optimizer_in_use())
        events = {name: variable.value for name, variable in self._events.items()}
        if keras.backend.backend() != "torch" or step.device.type != "cpu":
            return ops.clip(self.schedule(step, events), 0.0, 1.0)
        # Nothing is compiled there, and each layer would compute the same rate once more.
        inputs = (float(step), *map(float, events.values()))
        if inputs != self._computed_for:
            self._computed = ops.clip(self.schedule(step, events), 0.0, 1.0)
            self._computed_for = inputs
        return self._computed

    def now(self) -> float:
        """See `keras_compat.dropout.Rate`."""
        if is_tracing():
            return max(self._last, _SOME)
        _settle(self._model)
        optimizer = self._optimizer or getattr(self._model, "optimizer", None)
        steps = 0 if optimizer is None else steps_done(optimizer)
        self._last = self.at(steps)
        return self._last

    def at(self, step: int) -> float:
        """The rate at a step, on the host."""
        events = {name: variable.value for name, variable in self._events.items()}
        value = float(self.schedule(step, events))
        return min(max(value, 0.0), 1.0)

    def assign(self, value: float) -> None:
        """Refuses: the schedule says the rate."""
        raise UserError(
            f"The rate of this layer follows {self.schedule!r}. To set it by hand, call "
            f"anneal_dropout(model, RATE) with a number first."
        )

    def set_events(self, confirmed: Mapping[str, float]) -> None:
        """Tells the schedule at which steps events were confirmed; +inf or absent: not yet."""
        if not self._events:
            return
        _settle(self._model)
        for name, variable in self._events.items():
            step = np.float32(confirmed.get(name, math.inf))
            # Not a copy on the side: a checkpoint may have been loaded into the variable.
            if step != ops.convert_to_numpy(variable.value):
                variable.assign(step)

    def _optimizer_in_use(self) -> Any:
        optimizer = self._optimizer or getattr(self._model, "optimizer", None)
        if optimizer is None:
            raise UserError(
                f"The dropout of {self._model.name!r} follows a schedule of the optimizer's "
                f"steps, but that model is not compiled. Call anneal_dropout on the model that "
                f"you compile and fit, or pass optimizer=."
            )
        return optimizer


def _settle(model: Any) -> None:
    """On JAX, an epoch keeps the state outside the variables: puts it back, as callbacks do."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
