"""What a display remembers of a run: enough for a curve and a story, however long the run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from grokkeras.forecast import Forecast, forecast_run
from grokkeras.logging.words import STAGES

_KEPT = ("step", "train_accuracy", "val_accuracy", "train_loss", "val_loss")
_VARYING = ("learning_rate", "weight_decay", "adam_weight_decay", "dropout_rate")
_PER_DECADE = 200  # finer than any terminal draws
_FORGOTTEN = ("checkpoint",)


class History:
    """The evaluations, thinned to the resolution of a curve, and the events that tell a story.

    Memory does not grow with the number of evaluations: one is kept for each 1/200 of a decade of
    steps, the latest.
    """

    def __init__(self) -> None:
        self.stage = "memorizing"
        self.memorization_step: int | None = None
        self.grokking_step: int | None = None
        self.last: Mapping[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.varying: dict[str, float] = {}  # what has changed so far, at its latest value
        self._at_first: dict[str, Any] = {}
        self._kept: dict[int, dict[str, Any]] = {}

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Takes in one evaluation."""
        self.last = {key: record.get(key) for key in _KEPT}
        for key in _VARYING:
            value = record.get(key)
            if value is None:
                continue
            if key in self.varying or value != self._at_first.setdefault(key, value):
                self.varying[key] = value
        self._kept[int(_PER_DECADE * math.log10(max(1, record["step"])))] = dict(self.last)

    def event(self, event: Mapping[str, Any]) -> None:
        """Takes in one event, as in `events.jsonl`."""
        name = event["event"]
        if name in _FORGOTTEN:
            return
        self.events.append(dict(event))
        self.stage = STAGES.get(name, self.stage)
        if name == "memorization":
            self.memorization_step = event["step"]
        if name == "grokking":
            self.grokking_step = event["step"]

    def replay(
        self, records: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Takes in what a resumed run did before."""
        for record in records:
            self.evaluation(record)
        for event in events:
            self.event(event)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The evaluations kept, in order of step."""
        return list(self._kept.values())

    def forecast(self) -> Forecast | None:
        """When the run will grok, while it waits; else None."""
        return forecast_run(self.records, self.memorization_step, self.grokking_step)

    def end_step(self, max_steps: int, stop_after_grokking: int | None) -> int:
        """The step at which the run will end, as far as is known now."""
        if self.grokking_step is None or stop_after_grokking is None:
            return max_steps
        return min(max_steps, self.grokking_step + stop_after_grokking)
