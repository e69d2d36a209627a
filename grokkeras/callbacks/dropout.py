"""`DropoutScheduler`: dropout whose rate varies, in stock `fit`, in any Keras model.

    model.fit(x, y, callbacks=[DropoutScheduler(schedules.Linear(0.5, 0.0, steps=2000))])

Assigning to `Dropout.rate` in a callback of one's own does nothing on TensorFlow and JAX, where the
rate is frozen into the compiled step. Here the schedule is computed in that step.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from grokkeras.annealing.anneal import Annealed, Rates, plan_annealing
from grokkeras.annealing.find import Where
from grokkeras.annealing.rates import as_schedule, check_rate
from grokkeras.callbacks.events_from import find_detector
from grokkeras.errors import UserError
from grokkeras.keras_compat import train_function
from grokkeras.keras_compat.build_in_fit import build_in_fit
from grokkeras.keras_compat.optimizer_step import steps_done
from grokkeras.keras_compat.siblings import callbacks_beside
from grokkeras.schedules import EVENTS, Schedule
from grokkeras.schedules.adapters import FromHost

_HOST = "host"


class DropoutScheduler(keras.callbacks.Callback):
    """Makes the rate of a model's dropout layers follow a schedule of `optimizer.iterations`.

    It acts from the beginning to the end of `fit`, on the layers that `anneal_dropout` lists. Then
    they are stock layers again, with the rates that they were made with; what is saved meanwhile
    holds stock layers with the rate of that moment. Changes of the rate cost no retrace; the first
    `fit` with this callback compiles its step anew.

    A `fit` that is interrupted ends without telling its callbacks: then the schedule stays in the
    layers until the next `fit` with a scheduler, or until `detach()`.

    At each epoch's end it adds `dropout_rate` to the logs, the value of the epoch's last update;
    callbacks that stand after it in the list see it, the history too.

    Args:
        schedule: what the rate is at a step:
            - a number, a `grokkeras.schedules.Schedule` or its configuration, or one of Keras'
              learning rate schedules, computed inside the compiled step;
            - a plain Python callable, which gets `optimizer.iterations` as a Python int on the
              host before each step, and is refused where several steps run in one call;
            - what `anneal_dropout` returned: the layers follow that schedule already and go on
              doing so; the callback tells it of events and writes the logs.
        where: called with a layer's path and the layer; False leaves it as it is. Default: all.
        detector: whose events `OnEvent` follows: a `GrokkingDetector`, or a
            `grokkeras.detection.Detector`. Default: the one among the callbacks.
        events: events of an earlier run: name to the step at which it was confirmed.
        log_name: the key in the logs. Default `dropout_rate`.

    Attributes:
        annealed: after `fit` has begun, the layers changed and those that could not be.

    Raises:
        UserError: an argument makes no sense; as `fit` begins, the model has no dropout that can
            vary, another schedule holds its layers, or there is no detector for an `OnEvent`.
    """

    def __init__(
        self,
        schedule: Rates | Annealed | Callable[[int], float],
        where: Where | None = None,
        *,
        detector: Any = None,
        events: Mapping[str, float] | None = None,
        log_name: str = "dropout_rate",
    ) -> None:
        super().__init__()
        self.detector = detector
        self.log_name = log_name
        self.annealed: Annealed | None = None
        self._given = schedule if isinstance(schedule, Annealed) else None
        self._host = _host_function(schedule)
        if self._given is not None:
            if where is not None:
                raise UserError(
                    "DropoutScheduler: what anneal_dropout returned says already which layers "
                    "vary; pass where to anneal_dropout."
                )
        else:
            self._schedule = FromHost(_HOST) if self._host else as_schedule(schedule)
        self._where = where
        self._earlier = _checked_events(events)
        self._found: Any = None
        self._looked_for_idle = False
        if self._host is not None:
            # Only then: a batch hook makes JAX put its whole state back before every step.
            self.on_train_batch_begin = self._tell_host_value

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the schedule into the layers and into the step that `fit` is about to run."""
        model = self.model
        if model.steps_per_execution > 1:
            self.check_many_steps(f"steps_per_execution={model.steps_per_execution}")
        beside = callbacks_beside(self)
        if self._given is not None:
            self.annealed = self._given
        elif self.annealed is None or self.annealed.model is not model:
            self.detach()
            build_in_fit(model)
            self.annealed = plan_annealing(model, self._schedule, where=self._where)
            self._looked_for_idle = False
        self._found = self._find_detector(beside)
        if self._given is None:
            self._refuse_others(beside)
            self.annealed.attach()
            train_function.enter(model, self.annealed)
        self._tell_events()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Tells the step what a detector that stands later in the list has confirmed."""
        self._tell_events()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the rate to the logs, and tells the step what the epoch confirmed."""
        assert self.annealed is not None
        if logs is not None:
            last_update = max(steps_done(self.model.optimizer) - 1, 0)
            logs[self.log_name] = self.annealed.rate_at(last_update)
        self._tell_events()
        if not self._looked_for_idle:
            self._looked_for_idle = True
            self._warn_of_idle_layers()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the layers and the model's compiled step back as they were."""
        self.detach()

    def detach(self) -> None:
        """Takes the schedule out of the layers; for a `fit` that was interrupted."""
        if self.annealed is not None and self._given is None and self.annealed.attached:
            _end(self.annealed)

    def check_many_steps(self, where: str = "grokkeras.run") -> None:
        """Refuses a plain Python callable where several steps run in one call.

        Args:
            where: what runs them, for the message.

        Raises:
            UserError: the schedule is a plain Python callable.
        """
        if self._host is not None:
            raise UserError(
                f"DropoutScheduler has a plain Python callable, which runs on the host before "
                f"each step, but {where} makes several steps in one call. Use a schedule, which "
                f"runs inside the step, such as schedules.Cosine(0.5, 0.0, steps=5000) or "
                f"schedules.Piecewise([1000], [0.5, 0.1])."
            )

    def _refuse_others(self, beside: list[Any]) -> None:
        """Refuses layers that another schedule holds, unless an interrupted `fit` left it there."""
        assert self.annealed is not None
        for holder in self.annealed.other_holders():
            callbacks = [o for o in beside if isinstance(o, DropoutScheduler)]
            if any(other.annealed is holder for other in callbacks) and not holder.lasting:
                _end(holder)
                raise UserError(
                    "There are two DropoutScheduler callbacks on one dropout layer. Use one, or "
                    "give each its own layers with where=."
                )
            if holder.lasting:
                raise UserError(
                    "The model's dropout follows a schedule of anneal_dropout already. Pass what "
                    "anneal_dropout returned to DropoutScheduler, leave the callback out, or call "
                    "restore() first."
                )
            _end(holder)

    def _find_detector(self, beside: list[Any]) -> Any:
        assert self.annealed is not None
        wanted = [name for name in self.annealed.needs_events if name != _HOST]
        return find_detector(
            "DropoutScheduler", "dropout", wanted, self.detector, self._earlier, beside
        )

    def _tell_host_value(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        assert self.annealed is not None
        assert self._host is not None
        # On JAX asking for the model puts the state where it can be read and changed.
        step = steps_done(self.model.optimizer)
        self.annealed.set_events({_HOST: check_rate(self._host(step))})

    def _tell_events(self) -> None:
        assert self.annealed is not None
        if self._host is not None:
            return
        told = {name: self._earlier.get(name, math.inf) for name in self.annealed.needs_events}
        for event in getattr(self._found, "events", ()):
            # What only the end of an earlier fit had confirmed is open again.
            if event.event in told and not event.detail.get("end_of_run"):
                told[event.event] = min(told[event.event], float(event.written_at))
        self.annealed.set_events(told)

    def _warn_of_idle_layers(self) -> None:
        assert self.annealed is not None
        idle = self.annealed.never_called()
        if idle:
            warnings.warn(
                f"DropoutScheduler: an epoch of training never called {', '.join(idle)}. The "
                f"layer around it may skip its dropout for a reason of its own, such as having "
                f"been made with a rate of 0; then no schedule reaches it.",
                stacklevel=2,
            )


def _end(annealed: Annealed) -> None:
    """Undoes what `on_train_begin` did, on the layers and on the model's compiled step."""
    annealed.detach()
    train_function.leave(annealed.model, annealed)


def _host_function(schedule: Any) -> Callable[[int], float] | None:
    known = (Annealed, Schedule, LearningRateSchedule)
    return schedule if callable(schedule) and not isinstance(schedule, known) else None


def _checked_events(events: Mapping[str, float] | None) -> dict[str, float]:
    unknown = [name for name in events or {} if name not in EVENTS]
    if unknown:
        raise UserError(
            f"DropoutScheduler: events are of {', '.join(EVENTS)}; received {unknown[0]!r}."
        )
    return {name: float(step) for name, step in (events or {}).items()}
