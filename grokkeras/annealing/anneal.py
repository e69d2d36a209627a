"""`anneal_dropout`: makes the dropout of an existing model follow a schedule.

    annealed = anneal_dropout(model, schedules.Linear(0.5, 0.0, steps=2000))
    model.fit(...)

Asked of Keras since 2016 (keras#3424, #8826): assigning to `Dropout.rate` in a callback does
nothing on TensorFlow and JAX, where the rate is frozen into the compiled step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import keras
from keras.optimizers.schedules import LearningRateSchedule

from grokkeras.annealing.find import Where, find_dropout
from grokkeras.annealing.formulas import FORMULAS
from grokkeras.annealing.rates import ScheduledRate, VariableRate, as_schedule, check_rate
from grokkeras.errors import UserError
from grokkeras.keras_compat.dropout import (
    follows,
    holder_of,
    layer_tree,
    reset,
    set_attention,
    set_rate,
    stock_call,
    was_called,
)
from grokkeras.keras_compat.optimizer_step import share_optimizer_step, unshare_optimizer_step
from grokkeras.schedules import Schedule

Rates: TypeAlias = "float | Schedule | Mapping[str, Any] | LearningRateSchedule"


@dataclass(frozen=True, eq=False)
class Annealed:
    """Dropout layers of a model whose rate varies, from `attach` to `restore`.

    Attributes:
        model: the model.
        changed: paths of the dropout layers whose rate varies.
        unchanged: paths of the layers with dropout that cannot vary, to the reason.
        lasting: whether it is to stay, as `anneal_dropout` means it, or for one `fit`.
    """

    model: keras.Model
    changed: tuple[str, ...]
    unchanged: Mapping[str, str]
    _layers: tuple[Any, ...]
    _attention: tuple[Any, ...]
    _rates: tuple[ScheduledRate | VariableRate, ...]
    lasting: bool = False

    @property
    def attached(self) -> bool:
        """Whether the layers follow this object, and no later one."""
        return any(self._owns(layer) for layer in self._layers)

    @property
    def rate(self) -> float:
        """The present rate; where layers were set one by one, the first one's."""
        return self._rates[0].now()

    def rate_at(self, step: int) -> float:
        """The rate at an optimizer step; where it is set by hand, the present one."""
        return self._rates[0].at(step)

    @property
    def needs_events(self) -> tuple[str, ...]:
        """The events that the schedule waits for."""
        first = self._rates[0]
        return first.schedule.needs_events if isinstance(first, ScheduledRate) else ()

    def set_rate(self, rate: float) -> None:
        """Sets the rate of all changed layers, at once and without a retrace.

        Raises:
            UserError: it is no number in [0, 1], or the layers follow a schedule.
        """
        for entry in self._rates:
            entry.assign(rate)

    def set_events(self, confirmed: Mapping[str, float]) -> None:
        """Tells an event-driven schedule what has happened; without a retrace.

        Args:
            confirmed: name of an event to the step at which it was confirmed; those left out have
                not happened.
        """
        for entry in self._rates:
            if isinstance(entry, ScheduledRate):
                entry.set_events(confirmed)

    def never_called(self) -> tuple[str, ...]:
        """Paths of changed layers that no training step has run yet, nor been traced with."""
        pairs = zip(self.changed, self._layers, strict=True)
        return tuple(p for p, layer in pairs if self._owns(layer) and not was_called(layer))

    def attach(self) -> None:
        """Makes the layers vary; `anneal_dropout` has done it. A compiled step does not see it."""
        for layer, rate in zip(self._layers, self._rates, strict=True):
            set_rate(layer, rate, FORMULAS[stock_call(layer)], self)
        for layer in self._attention:
            set_attention(layer)
        if isinstance(self.model, keras.Model):
            share_optimizer_step(self.model)

    def detach(self) -> None:
        """Makes the layers stock ones again. A compiled step does not see it."""
        held = [layer for layer in self._layers if self._owns(layer)]
        for layer in held:
            reset(layer)
        for layer in self._attention:
            if not follows(layer._dropout_layer):
                reset(layer)
        if held and not any(follows(layer) for _, layer, _ in layer_tree(self.model)):
            unshare_optimizer_step(self.model)

    def restore(self) -> None:
        """Turns the layers into stock ones again, with the rates that they were made with."""
        self.detach()
        _trace_anew(self.model)

    def other_holders(self) -> list[Annealed]:
        """What else the layers follow at present."""
        holders = [holder_of(layer) for layer in self._layers]
        others = {id(h): h for h in holders if h is not None and h is not self}
        return list(others.values())

    def _owns(self, layer: Any) -> bool:
        return holder_of(layer) is self

    def __str__(self) -> str:
        lines = [f"dropout varies in {len(self.changed)}: {', '.join(self.changed)}"]
        lines += [f"not in {path}: {reason}" for path, reason in self.unchanged.items()]
        return "\n".join(lines)


def anneal_dropout(
    model: keras.Model,
    schedule: Rates,
    *,
    optimizer: Any = None,
    where: Where | None = None,
) -> Annealed:
    """Makes the rate of a model's dropout layers vary, in place, keeping weights and optimizer.

    Changes `Dropout`, `SpatialDropout1D` to `3D`, `GaussianDropout` and `AlphaDropout` wherever
    they stand, subclasses that keep Keras' `call`, and the dropout inside `MultiHeadAttention` and
    `GroupQueryAttention` if that was made with a rate above 0. Layers that hold rates as plain
    numbers, such as recurrent ones, cannot change; `unchanged` says which and why.

    The schedule is computed inside the compiled step, so nothing is traced anew when the rate
    changes. In inference the layers pass their input on. Files hold stock layers with the present
    rate as a number; a layer of another package that keeps the rate of its inner layers itself
    writes down the rate that it was made with.

    Called again it changes the schedule. Masks are drawn independently of how Keras draws them, so
    a constant rate drops other elements than the stock layer does.

    Args:
        model: a built Keras model: the one that is compiled and fitted, before or after
            `compile`.
        schedule: a `grokkeras.schedules` schedule of values in [0, 1] or its configuration, one of
            Keras' learning rate schedules, or a number, which `Annealed.set_rate` and
            `layer.rate = ...` change.
        optimizer: whose `iterations` the schedule counts; None: the one `model` is compiled with.
        where: called with the path and the layer; False leaves a layer as it is. None: all.

    Returns:
        What was changed and what could not be.

    Raises:
        UserError: the model is not built or has no dropout that can vary; the schedule leaves
            [0, 1].

    Example:
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dropout(0.5, name="drop")])
        >>> anneal_dropout(model, schedules.Cosine(0.5, 0.0, steps=1000)).changed
        ('drop',)
    """
    annealed = plan_annealing(model, schedule, optimizer=optimizer, where=where, lasting=True)
    annealed.attach()
    _trace_anew(model)
    return annealed


def plan_annealing(
    model: keras.Model,
    schedule: Any,
    *,
    optimizer: Any = None,
    where: Where | None = None,
    lasting: bool = False,
) -> Annealed:
    """What `anneal_dropout` would do, checked but not done: `Annealed.attach` does it."""
    if isinstance(schedule, Real):
        schedule = check_rate(schedule)
    elif callable(schedule) and not isinstance(schedule, (Schedule, LearningRateSchedule)):
        raise UserError(
            "anneal_dropout cannot run a plain Python callable inside the compiled step. Pass a "
            "schedule such as schedules.Linear(0.5, 0.0, steps=2000), or give the callable to "
            "DropoutScheduler, which calls it before each step."
        )
    else:
        schedule = as_schedule(schedule)
    if not model.built:
        raise UserError(
            f"anneal_dropout needs a built model, since some layers make their dropout when they "
            f"are built; {model.name!r} is not. Call it on a batch first, or use DropoutScheduler."
        )
    found = find_dropout(model, where) if where else find_dropout(model)
    if isinstance(schedule, Schedule):
        shared = ScheduledRate(schedule, model, optimizer)
        rates: list[ScheduledRate | VariableRate] = [shared] * len(found.layers)
    else:
        rates = [VariableRate(schedule, model) for _ in found.layers]
    if not found.layers:
        raise UserError(_nothing(model, found.reasons))
    return Annealed(
        model,
        tuple(found.layers),
        found.reasons,
        tuple(found.layers.values()),
        tuple(found.attention.values()),
        tuple(rates),
        lasting,
    )


def _nothing(model: Any, reasons: Mapping[str, str]) -> str:
    message = f"{model.name!r} has no dropout whose rate can vary"
    if not reasons:
        return f"{message}: no dropout layer at all. Add one (keras.layers.Dropout) to anneal it."
    listed = "; ".join(f"{path}: {reason}" for path, reason in reasons.items())
    return f"{message}: {listed}."


def _trace_anew(model: Any) -> None:
    """Drops the step that was compiled with other rates; TensorFlow would go on using it."""
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
