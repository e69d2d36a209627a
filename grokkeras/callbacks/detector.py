"""`GrokkingDetector`: says in stock `fit` when a model memorized, grokked, collapsed, or stalls.

    detector = GrokkingDetector(stop_after_grokking=200)
    model.fit(x, y, validation_data=(x_val, y_val), epochs=3000, callbacks=[detector])
    detector.phase, detector.memorization_step, detector.grokking_step, detector.delay_steps

It works on any compiled model and backend, and needs nothing else of this package. It has no batch
hook, so on every backend Keras keeps its asynchronous dispatch; and it asks for the model only when
an epoch has ended, when JAX has put the state back already and `Callback.model` copies nothing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from grokkeras.callbacks.stall import StallWatch
from grokkeras.detection import Curve, Detector, Event
from grokkeras.detection.direction import detector_metric
from grokkeras.detection.sharpness import Sharpness, fit_jump
from grokkeras.errors import UserError
from grokkeras.keras_compat.optimizer_step import steps_done


class GrokkingDetector(keras.callbacks.Callback):
    """Detects grokking from the logs of `fit`.

    An evaluation is an epoch's end; its step is `optimizer.iterations`: the number of weight
    updates, also with `steps_per_execution`, counted in optimizer updates rather than batches
    under gradient accumulation, and without the updates that a `LossScaleOptimizer` skips. An
    epoch that updated nothing is no evaluation.
    The training metric is the epoch's log, an average over the epoch's batches in training mode, so
    it lags a little behind the weights.

    `fit` may be called again with the same callback: if the model is the same and its
    `iterations` went on, so does the detector (and what only the end of the previous `fit` had
    confirmed is open again); with another model, or a fresh optimizer, it starts over.

    Args:
        train_metric, val_metric: keys of the epoch's logs. Default `accuracy`, `val_accuracy`.
        train_threshold, val_threshold, patience, min_delay, collapse_threshold: see
            `grokkeras.detection.Detector`. With an accuracy 0.99, 0.95, 5 evaluations, 1000 steps,
            0.8 or `val_threshold` if that is less; with a loss the first two must be given.
        mode: `max`: the metric is better when larger, thresholds are lower bounds; `min`: upper
            bounds; `auto` (default): told by the metric's name.
        stop_after_grokking: stop `fit` at the first evaluation that is confirmed and this many
            steps past the grokking step. 0: on confirmation; None (default): never.
        on_event: called with each `grokkeras.detection.Event` as it is confirmed.
        verbose: 1 (default) prints a line for each event; 0 prints nothing.
        train_data: `(x, y)`; if given, the share of these examples whose loss rounds to 0 is
            measured, which recognises softmax collapse long before the mean loss is exactly 0.
            That costs one `model.predict(x)`, a forward pass over these examples, at log-spaced
            epochs: the first ten, 30 of the first hundred, 54 of the first thousand, and none
            once it was found. A few thousand examples are plenty. For classifiers with one output
            of shape (examples, classes) and integer or one-hot labels.
        validation_freq: the same as in `fit`, a number or a list of epochs, so that epochs without
            validation are passed over.

    Attributes:
        events: what happened so far, `Event`s in order.
        phase, stage, memorization_step, grokking_step, delay_steps, stable, collapse_step: see
            `Detector`.

    Raises:
        UserError: a setting makes no sense; in `fit`, the logs lack a metric.
    """

    def __init__(
        self,
        train_metric: str = "accuracy",
        val_metric: str = "val_accuracy",
        train_threshold: float | None = None,
        val_threshold: float | None = None,
        patience: int = 5,
        min_delay: int = 1000,
        collapse_threshold: float | None = None,
        *,
        mode: str = "auto",
        stop_after_grokking: int | None = None,
        on_event: Callable[[Event], object] | None = None,
        verbose: int = 1,
        train_data: tuple[Any, Any] | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> None:
        super().__init__()
        _check_whole("stop_after_grokking", stop_after_grokking, 0, optional=True)
        epochs = (
            validation_freq if isinstance(validation_freq, (list, tuple)) else [validation_freq]
        )
        for each in epochs:
            _check_whole("validation_freq", each, 1)
        self.train_metric = train_metric
        self.val_metric = val_metric
        self.detector = Detector(
            detector_metric(train_metric, val_metric, mode),
            train_threshold,
            val_threshold,
            patience,
            min_delay,
            collapse_threshold,
        )
        self.stop_after_grokking = stop_after_grokking
        self.on_event = on_event
        self.verbose = verbose
        self.validation_freq = validation_freq
        self._stall = StallWatch(train_data)
        self._curve = Curve()
        self._fitted_model: Any = None
        self._warned = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Goes on where the last `fit` ended, or starts over: see the class."""
        model = self.model
        step, last = _step(model), self.detector.last_step
        other_model = self._fitted_model is not None and self._fitted_model is not model
        if other_model or (last is not None and step < last):
            self.detector.reset()
            self._stall.reset()
            self._curve = Curve()
        self._fitted_model = model

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Takes in one evaluation, announces what it confirms, and stops `fit` where asked."""
        logs = logs or {}
        if self.val_metric not in logs and not self._validated(epoch + 1):
            return
        train, val = self._values(logs)
        model = self.model
        step = _step(model)
        if step == self.detector.last_step:
            if step == 0:
                self._warn_of_no_steps()
            return
        sign = -1.0 if self.detector.settings.metric == "loss" else 1.0
        if self.detector.collapse_step is None:
            self._curve.add(step, sign * val)
        events = self.detector.update(step, train, val)
        self._announce(events + self._stall.update(step, logs, model))
        if self.detector.should_stop(self.stop_after_grokking):
            model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Confirms what held to the end of the run."""
        self._announce(self.detector.finish())

    def state_dict(self) -> dict[str, Any]:
        """Everything that it has seen, JSON-able: a checkpoint of `grokkeras.run` holds it."""
        return {
            "detector": self.detector.state_dict(),
            "stall": self._stall.state_dict(),
            "curve": {"steps": list(self._curve.steps), "values": list(self._curve.values)},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave, before the `fit` that goes on.

        Raises:
            UserError: it is of a detector of other settings.
        """
        self.detector.load_state_dict(state["detector"])
        self._stall.load_state_dict(state["stall"])
        self._curve.steps = list(state["curve"]["steps"])
        self._curve.values = list(state["curve"]["values"])

    def sharpness(self) -> Sharpness | None:
        """How sharply validation jumped, up to a collapse; None where there was no jump.

        An error function over the log of the step, see `grokkeras.detection.fit_jump`. With a loss
        `low` and `high` are its negatives, and a jump spans at least a fifth of its range.
        """
        values = self._curve.values
        min_rise = 0.2
        if self.detector.settings.metric == "loss" and values:
            min_rise *= max(values) - min(values)
        return fit_jump(self._curve.steps, values, min_rise=min_rise)

    @property
    def events(self) -> list[Event]:
        """What happened so far, in the order in which it was confirmed."""
        return sorted(self.detector.events + self._stall.events, key=lambda e: e.written_at)

    @property
    def phase(self) -> str:
        """See `Detector.phase`."""
        return self.detector.phase

    @property
    def stage(self) -> str:
        """See `Detector.stage`."""
        return self.detector.stage

    @property
    def memorization_step(self) -> int | None:
        """See `Detector.memorization_step`."""
        return self.detector.memorization_step

    @property
    def grokking_step(self) -> int | None:
        """See `Detector.grokking_step`."""
        return self.detector.grokking_step

    @property
    def delay_steps(self) -> int | None:
        """See `Detector.delay_steps`."""
        return self.detector.delay_steps

    @property
    def collapse_step(self) -> int | None:
        """First evaluation after the grokking step past `collapse_threshold`, or None."""
        return self.detector.collapse_step

    @property
    def stable(self) -> bool:
        """See `Detector.stable`."""
        return self.detector.stable

    def _values(self, logs: Mapping[str, Any]) -> tuple[float, float]:
        missing = [key for key in (self.train_metric, self.val_metric) if key not in logs]
        if not missing:
            return self._number(self.train_metric, logs), self._number(self.val_metric, logs)
        available = ", ".join(sorted(logs)) or "none"
        if any(key.startswith("val_") for key in logs):
            advice = (
                "Name keys that are there in train_metric and val_metric, or add the metric to "
                "model.compile(metrics=[...])."
            )
        else:
            advice = (
                "There is no validation metric at all: pass validation_data to fit; if it is there "
                "and fit has a validation_freq, pass that to GrokkingDetector too."
            )
        raise UserError(
            f"GrokkingDetector needs {' and '.join(map(repr, missing))} in the epoch's logs; "
            f"they hold {available}. {advice}"
        )

    @staticmethod
    def _number(key: str, logs: Mapping[str, Any]) -> float:
        if math.prod(np.shape(logs[key])) != 1:
            raise UserError(
                f"GrokkingDetector needs one number an epoch, but {key!r} is an array of shape "
                f"{np.shape(logs[key])}. Compile the metric so that it averages over classes."
            )
        return float(logs[key])

    def _validated(self, epochs: int) -> bool:
        """Whether `fit` validates after so many epochs."""
        if isinstance(self.validation_freq, int):
            return epochs % self.validation_freq == 0
        return epochs in self.validation_freq

    def _warn_of_no_steps(self) -> None:
        if not self._warned:
            warnings.warn(
                "GrokkingDetector counts steps by model.optimizer.iterations, which stayed 0 over "
                "two epochs, so it sees nothing. A train_step of your own has to step "
                "model.optimizer.",
                stacklevel=2,
            )
        self._warned = True

    def _announce(self, events: list[Event]) -> None:
        for event in events:
            if self.verbose:
                # The progress bar of verbose=1 has not ended its line yet.
                start = "\n" if (self.params or {}).get("verbose") in (1, "auto") else ""
                print(f"{start}GrokkingDetector: {event.describe()}", flush=True)
            if self.on_event is not None:
                self.on_event(event)


def _step(model: Any) -> int:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise UserError(
            "GrokkingDetector counts steps by model.optimizer.iterations, but the model has no "
            "optimizer: pass one to model.compile."
        )
    return steps_done(optimizer)


def _check_whole(name: str, value: Any, least: int, optional: bool = False) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(
            f"GrokkingDetector: {name} is a whole number, {least} or more"
            f"{', or None' if optional else ''}; received {value!r}."
        )
