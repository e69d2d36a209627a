"""`WeightDecayScheduler`: weight decay that varies, in stock `fit`, for any stock Keras optimizer.

    model.compile(keras.optimizers.AdamW(1e-3, weight_decay=1.0), loss=..., metrics=["accuracy"])
    model.fit(x, y, callbacks=[WeightDecayScheduler(schedules.Cosine(1.0, 0.1, steps=5000))])

Setting `optimizer.weight_decay` in a callback of one's own does nothing on TensorFlow and JAX,
where the number is frozen into the compiled step. Here the schedule is computed in that step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from grokkeras.callbacks.events_from import find_detector
from grokkeras.callbacks.weight_decay_rules import Choice, Decay, DecayRules
from grokkeras.errors import UserError
from grokkeras.keras_compat import train_function
from grokkeras.keras_compat.optimizer_step import steps_done
from grokkeras.keras_compat.siblings import callbacks_beside
from grokkeras.keras_compat.weight_decay import ScheduledDecay, attached_to
from grokkeras.schedules import EVENTS


class WeightDecayScheduler(keras.callbacks.Callback):
    """Makes an optimizer's weight decay follow a schedule of `optimizer.iterations`.

    It acts on the optimizer from the beginning to the end of `fit`, by shadowing the method that
    applies the decay. `optimizer.weight_decay` is left alone: during and after training, and in
    whatever is saved, it holds the number that the optimizer was made with. So a saved model is a
    stock one; resumed with the same callback, the schedule goes on by `optimizer.iterations`.
    Changes of the decay cost no retrace; the first `fit` with this callback compiles its step anew.

    A `fit` that is interrupted ends without telling its callbacks: then the schedule stays in the
    optimizer until the next `fit` with a scheduler, or until `detach()`.

    At each epoch's end it adds `weight_decay` to the logs, the value of the epoch's last update
    (with a mapping `weight_decay/PATTERN`, and where Muon's second decay differs
    `adam_weight_decay`); callbacks that stand after it in the list see it, the history too.

    Args:
        schedule: what the decay is at a step:
            - a number, a `grokkeras.schedules.Schedule` or its configuration, or one of Keras'
              learning rate schedules, computed inside the compiled step;
            - a plain Python callable, which gets `optimizer.iterations` as a Python int on the
              host before each step, and is refused where several steps run in one call;
            - a mapping from a pattern to any of these, for groups of variables: the first pattern
              that is found in a variable's path (`re.search`) decides.
        variables: which variables are decayed: a predicate of the variable, or patterns of which
            one must be found in its path. Default: all. Variables outside, and those that no
            pattern of a mapping matches, get no decay at all. What the optimizer's
            `exclude_from_weight_decay` excluded stays so.
        adam_schedule: of Muon, the decay of what it leaves to AdamW (`adam_weight_decay`). Default
            None: the same as `schedule`.
        detector: whose events `OnEvent` follows: a `GrokkingDetector`, or a
            `grokkeras.detection.Detector`. Default: the one among the callbacks.
        events: events of an earlier run: name to the step at which it was confirmed.

    Raises:
        UserError: an argument makes no sense; as `fit` begins, the optimizer has no weight decay,
            a pattern matches no variable, or there is no detector for an `OnEvent`.
    """

    def __init__(
        self,
        schedule: Decay | Mapping[str, Decay],
        variables: Choice | None = None,
        *,
        adam_schedule: Decay | None = None,
        detector: Any = None,
        events: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.detector = detector
        self._rules = DecayRules(schedule, variables, adam_schedule)
        self._adam = adam_schedule is not None
        self._earlier = _checked_events(events)
        self._decay: ScheduledDecay | None = None
        self._entered: Any = None
        self._found: Any = None
        if self._rules.host:
            # Only then: a batch hook makes JAX put its whole state back before every step.
            self.on_train_batch_begin = self._tell_host_values

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the schedule into the optimizer and into the step that `fit` is about to run."""
        model = self.model
        optimizer = model.optimizer
        if self._decay is None or self._decay.optimizer is not optimizer:
            self.detach()
            self._decay = ScheduledDecay(optimizer, self._rules.rules)
        if self._adam and not self._decay.has("adam_weight_decay"):
            raise UserError(
                f"adam_schedule is for an optimizer with an adam_weight_decay, which Muon has; "
                f"{type(optimizer).__name__} has none, or None. Leave it out, or pass a mapping "
                f"from patterns to schedules."
            )
        if model.steps_per_execution > 1:
            self.check_many_steps(f"steps_per_execution={model.steps_per_execution}")
        beside = callbacks_beside(self)
        self._found = self._find_detector(beside)
        self._take_over(optimizer, beside)
        if model.built and not optimizer.built:
            optimizer.build(model.trainable_variables)
        if optimizer.built:
            self._decay.check()
        self._decay.attach()
        train_function.enter(model, self._decay)
        self._entered = model
        self._tell_events()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Tells the step what a detector that stands later in the list has confirmed."""
        self._tell_events()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the decay to the logs, and tells the step what the epoch confirmed."""
        assert self._decay is not None
        if logs is not None:
            last_update = max(steps_done(self.model.optimizer) - 1, 0)
            logs.update(self._rules.named(self._decay.values(last_update)))
        self._tell_events()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the optimizer and the model's compiled step back as they were."""
        self.detach()

    def detach(self) -> None:
        """Takes the schedule out of the optimizer; for a `fit` that was interrupted."""
        if self._decay is not None and attached_to(self._decay.optimizer) is self._decay:
            self._decay.detach()
            train_function.leave(self._entered, self._decay)

    def check_many_steps(self, where: str = "grokkeras.run") -> None:
        """Refuses a plain Python callable where several steps run in one call.

        Args:
            where: what runs them, for the message.

        Raises:
            UserError: the schedule, or one of them, is a plain Python callable.
        """
        if self._rules.host:
            raise UserError(
                f"WeightDecayScheduler has a plain Python callable, which runs on the host before "
                f"each step, but {where} makes several steps in one call. Use a schedule, which "
                f"runs inside the step, such as schedules.Cosine(1.0, 0.1, steps=5000) or "
                f"schedules.Piecewise([1000], [0.0, 1.0])."
            )

    def _find_detector(self, beside: list[Any]) -> Any:
        wanted = self._rules.events
        return find_detector(
            "WeightDecayScheduler", "weight decay", wanted, self.detector, self._earlier, beside
        )

    def _take_over(self, optimizer: Any, beside: list[Any]) -> None:
        """Removes what an interrupted `fit` left; another scheduler at work is refused."""
        left = attached_to(optimizer)
        if left is None or left is self._decay:
            return
        others = [o for o in beside if isinstance(o, WeightDecayScheduler) and o._decay is left]
        if others:
            others[0].detach()
            raise UserError(
                "There are two WeightDecayScheduler callbacks on one optimizer. Use one, with a "
                "mapping from patterns to schedules if groups of variables differ."
            )
        left.detach()
        train_function.leave(self.model, left)

    def _tell_events(self) -> None:
        assert self._decay is not None
        told = {name: self._earlier.get(name, math.inf) for name in self._rules.events}
        for event in getattr(self._found, "events", ()):
            # What only the end of an earlier fit had confirmed is open again.
            if event.event in told and not event.detail.get("end_of_run"):
                told[event.event] = min(told[event.event], float(event.written_at))
        self._decay.tell(told)

    def _tell_host_values(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        assert self._decay is not None
        # On JAX asking for the model puts the state where it can be read and changed.
        self._decay.tell(self._rules.host_values(steps_done(self.model.optimizer)))


def _checked_events(events: Mapping[str, float] | None) -> dict[str, float]:
    unknown = [name for name in events or {} if name not in EVENTS]
    if unknown:
        raise UserError(
            f"WeightDecayScheduler: events are of {', '.join(EVENTS)}; received {unknown[0]!r}."
        )
    return {name: float(step) for name, step in (events or {}).items()}
