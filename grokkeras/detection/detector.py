"""Training and validation curves in, memorization, grokking and collapse out.

Everything here is a function of the evaluations alone, so a run can be judged live, resumed
anywhere, or judged again from its `metrics.jsonl`:

    detector = Detector()
    for step, train_accuracy, val_accuracy in evaluations:
        for event in detector.update(step, train_accuracy, val_accuracy):
            print(event.describe())
    detector.finish()
    detector.phase, detector.memorization_step, detector.grokking_step
"""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex

from grokkeras.detection.crossing import Crossing
from grokkeras.detection.events import Event
from grokkeras.detection.phases import name_phase, name_stage
from grokkeras.detection.records import read_records
from grokkeras.detection.thresholds import Thresholds
from grokkeras.errors import UserError

_STATE_VERSION = 1


class Detector:
    """Judges a run by its evaluations, one at a time.

    Args:
        metric: `accuracy` (thresholds are lower bounds) or `loss` (upper bounds).
        train_threshold: reached by the training value: memorization. Default 0.99 for accuracy;
            a loss needs one.
        val_threshold: reached by the validation value: grokking. Default 0.95 for accuracy; a loss
            needs one.
        patience: evaluations for which a threshold must hold, the first included. Default 5.
        min_delay: steps from memorization to grokking from which the phase is called grokking
            rather than comprehension. Default 1000.
        collapse_threshold: a validation accuracy below it (a loss above it) after the grokking
            step is a collapse. Default 0.8 for accuracy, or val_threshold if that is less;
            10 * val_threshold for a loss.

    Raises:
        UserError: a setting makes no sense.
    """

    def __init__(
        self,
        metric: str = "accuracy",
        train_threshold: float | None = None,
        val_threshold: float | None = None,
        patience: int = 5,
        min_delay: int = 1000,
        collapse_threshold: float | None = None,
    ) -> None:
        self.settings = Thresholds.of(
            metric, train_threshold, val_threshold, patience, min_delay, collapse_threshold
        )
        self.reset()

    def reset(self) -> None:
        """Forgets every evaluation."""
        self.last_step: int | None = None
        self.collapse_step: int | None = None
        self.events: list[Event] = []
        self._train = Crossing(self.settings.patience)
        self._val = Crossing(self.settings.patience)
        self._plateau_due = True
        self._last_val: float | None = None
        self._before_finish: dict[str, Any] | None = None

    def update(
        self,
        step: SupportsIndex,
        train_value: SupportsFloat | None,
        val_value: SupportsFloat | None,
    ) -> list[Event]:
        """Takes in one evaluation.

        Args:
            step: the optimizer step, larger than the last one.
            train_value, val_value: the metric on the training and validation split. NaN, infinity
                or None reaches no threshold; after the grokking step it is a collapse.

        Returns:
            The events that this evaluation confirms, in order of their names' places in a run.

        Raises:
            UserError: the step is not larger than the last one.
        """
        at = operator.index(step)
        if at < 0 or (self.last_step is not None and at <= self.last_step):
            raise UserError(
                f"The detector needs evaluations in order of step: received step {at} after "
                + (f"step {self.last_step}." if self.last_step is not None else "nothing.")
                + " Call reset() first if this is another run."
            )
        if self._before_finish is not None:
            # The run went on after all, so what only its end had confirmed is open again.
            self._restore(self._before_finish)
        train, val = _number(train_value), _number(val_value)
        self.last_step, self._last_val = at, _json_number(val)
        settings = self.settings
        memorized = self._train.update(at, settings.reached(train, settings.train_threshold))
        grokked_before = self._val.step is not None
        grokked = self._val.update(at, settings.reached(val, settings.val_threshold))
        events = self._confirmed(memorized, grokked, val)
        # Between the grokking step and its confirmation validation cannot have been this low.
        held = settings.reached(val, settings.collapse_threshold)
        if grokked_before and self.collapse_step is None and not held:
            self.collapse_step = at
            detail = {"value": _json_number(val)}
            events.append(self._event("collapse", at, settings.collapse_threshold, detail))
        self.events += events
        return events

    def finish(self) -> list[Event]:
        """Says that the run ended here, and returns the events that this confirms.

        A threshold reached at the last evaluations and held to the end counts from two evaluations
        on. If `update` is called again, the run had not ended: these events are withdrawn from
        `events`, and the detector goes on as if `finish` had never been called.
        """
        if self._before_finish is not None or self.last_step is None:
            return []
        self._before_finish = self._progress()
        memorized = self._train.finish()
        grokked = self._val.finish()
        events = self._confirmed(memorized, grokked, self._last_val, end_of_run=True)
        self.events += events
        return events

    def _confirmed(
        self, memorized: bool, grokked: bool, val: float | None, end_of_run: bool = False
    ) -> list[Event]:
        """The events of this evaluation but for a collapse, in the order of a run."""
        assert self.last_step is not None
        settings, events = self.settings, []
        more: dict[str, Any] = {"end_of_run": True} if end_of_run else {}
        memorized_at, grokked_at = self._train.step, self._val.step
        if memorized and memorized_at is not None:
            events.append(self._event("memorization", memorized_at, settings.train_threshold, more))
        if self._plateau_due and memorized_at is not None and self.last_step >= 2 * memorized_at:
            # Judged once, here: a dip later is no plateau, nor is one of a run that has grokked.
            self._plateau_due = False
            below = val is None or not settings.reached(val, settings.val_threshold)
            if below and grokked_at is None:
                detail = {"value": _json_number(val), "memorization_step": memorized_at} | more
                events.append(
                    self._event("plateau", self.last_step, settings.val_threshold, detail)
                )
        if grokked and grokked_at is not None:
            detail = {"delay_steps": self.delay_steps} | more
            events.append(self._event("grokking", grokked_at, settings.val_threshold, detail))
        return events

    def _event(self, name: str, step: int, threshold: float, more: dict[str, Any]) -> Event:
        common = {
            "confirmed_step": self.last_step,
            "metric": self.settings.metric,
            "threshold": threshold,
        }
        return Event(step, name, common | more)

    @property
    def memorization_step(self) -> int | None:
        """First evaluation of the stretch at or past `train_threshold`; None: not confirmed."""
        return self._train.step

    @property
    def grokking_step(self) -> int | None:
        """First evaluation of the stretch at or past `val_threshold`; None: not confirmed."""
        return self._val.step

    @property
    def delay_steps(self) -> int | None:
        """Grokking step minus memorization step; negative where validation came first."""
        if self.grokking_step is None or self.memorization_step is None:
            return None
        return self.grokking_step - self.memorization_step

    @property
    def stable(self) -> bool:
        """No collapse came; true also where it never grokked: read it beside `grokking_step`."""
        return self.collapse_step is None

    @property
    def phase(self) -> str:
        """`grokking`, `comprehension`, `memorization` or `confusion`: see `name_phase`."""
        return name_phase(self.memorization_step, self.grokking_step, self.settings.min_delay)

    @property
    def stage(self) -> str:
        """While it runs: `memorizing`, `overfitting`, `grokked`, and for good, `collapsed`."""
        return name_stage(self.memorization_step, self.grokking_step, self.collapse_step)

    def should_stop(self, stop_after_grokking: int | None) -> bool:
        """Whether a run that stops `stop_after_grokking` steps after grokking stops here.

        Args:
            stop_after_grokking: steps after the grokking step. 0: as soon as it is confirmed;
                None: never.
        """
        if stop_after_grokking is None or self.grokking_step is None or self.last_step is None:
            return False
        return self.last_step >= self.grokking_step + stop_after_grokking

    def state_dict(self) -> dict[str, Any]:
        """Everything, JSON-able: loaded into a detector of the same settings, it goes on."""
        return {
            "version": _STATE_VERSION,
            "settings": self.settings.to_dict(),
            **self._progress(),
            "before_finish": copy.deepcopy(self._before_finish),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave.

        Raises:
            UserError: it is of a detector of other settings, or of a version unknown here.
        """
        if state.get("version") != _STATE_VERSION:
            raise UserError(
                f"Detector state of version {_STATE_VERSION} expected; "
                f"received {state.get('version')!r}."
            )
        self.settings.check_same(state["settings"])
        self._restore(state)
        self._before_finish = copy.deepcopy(state["before_finish"])

    def _progress(self) -> dict[str, Any]:
        return {
            "last_step": self.last_step,
            "last_val": self._last_val,
            "collapse_step": self.collapse_step,
            "plateau_due": self._plateau_due,
            "train": self._train.state_dict(),
            "val": self._val.state_dict(),
            "events": [event.to_dict() for event in self.events],
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        self.last_step = state["last_step"]
        self._last_val = state["last_val"]
        self.collapse_step = state["collapse_step"]
        self._plateau_due = state["plateau_due"]
        self._train.load_state_dict(state["train"])
        self._val.load_state_dict(state["val"])
        self.events = [Event.from_dict(record) for record in state["events"]]
        self._before_finish = None

    @classmethod
    def replay(
        cls,
        records: str | Path | Iterable[Mapping[str, Any]],
        *,
        finish: bool = True,
        **settings: Any,
    ) -> Detector:
        """Judges a recorded run, as it was or with other settings.

        Args:
            records: a run's `metrics.jsonl`, or its objects: each with `step` and, by `metric`,
                `train_accuracy` and `val_accuracy`, or `train_loss` and `val_loss`.
            finish: whether the run ended with the last record. Default True.
            **settings: those of `Detector`.

        Raises:
            UserError: a record lacks a key or is no JSON object; the message names its line.
        """
        detector = cls(**settings)
        metric = detector.settings.metric
        keys = ("step", f"train_{metric}", f"val_{metric}")
        for record in read_records(records, keys):
            detector.update(*(record[key] for key in keys))
        if finish:
            detector.finish()
        return detector


def _number(value: SupportsFloat | None) -> float:
    """A float; what was not measured, and infinity, is NaN, which reaches no threshold."""
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else math.nan


def _json_number(value: float | None) -> float | None:
    """Strict JSON has no NaN."""
    return None if value is None or math.isnan(value) else value
