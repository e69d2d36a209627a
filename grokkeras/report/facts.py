"""A run's numbers, as the explanation asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number


class Facts:
    """A run's numbers, as the causes ask for them.

    Args:
        record: the run.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.metrics = record.metrics
        self.last: Mapping[str, Any] = record.metrics[-1] if record.metrics else {}
        self.steps = int(number(self.last.get("step")) or 0)
        self._events: dict[str, Mapping[str, Any]] = {}
        for event in record.events:
            self._events.setdefault(str(event.get("event")), event)

    def setting(self, key: str) -> Any:
        """A configuration's value by its dotted key, or None."""
        found: Any = self.record.config
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def event(self, name: str) -> Mapping[str, Any] | None:
        """The first event of a name."""
        return self._events.get(name)

    def step_of(self, name: str) -> int | None:
        """The step of an event."""
        event = self.event(name)
        step = number(event.get("step")) if event else None
        return None if step is None else int(step)

    def values(self, key: str) -> list[tuple[int, float]]:
        """(step, value) wherever the evaluations have one."""
        return [
            (int(each["step"]), value)
            for each in self.metrics
            if (value := number(each.get(key))) is not None and "step" in each
        ]

    def at(self, key: str, step: int | None) -> float | None:
        """The value at the last evaluation up to a step."""
        found = [value for at, value in self.values(key) if step is not None and at <= step]
        return found[-1] if found else None

    def has_transform(self, name: str) -> bool:
        """Whether the configuration puts a transform of this name around its optimizer."""
        entries = self.setting("optimizer.transforms")
        listed = entries if isinstance(entries, list) else []
        return any(isinstance(entry, Mapping) and entry.get("name") == name for entry in listed)

    def decay(self) -> float | None:
        """The optimizer's own weight decay, the decoupled one, in effect at the end."""
        return number(self.last.get("weight_decay"))

    def rate(self) -> float | None:
        """The learning rate in effect at the end; before any evaluation, the configuration's."""
        return number(self.last.get("learning_rate", self.setting("optimizer.learning_rate")))
