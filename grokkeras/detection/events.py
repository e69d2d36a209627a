"""What happened in a run, and when: one `Event` a line of `events.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run.

    Attributes:
        step: the optimizer step it belongs to. For `memorization` and `grokking` that is the first
            evaluation that reached the threshold, which lies before the one that confirmed it.
        event: its name, such as `memorization`, `plateau`, `grokking`, `collapse`,
            `softmax_collapse`, `vanished_gradients`, `checkpoint`, `resume`.
        detail: JSON-able extras; the detector's events hold `confirmed_step`.
    """

    step: int
    event: str
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def written_at(self) -> int:
        """The evaluation at which it became known: `detail.confirmed_step`, else `step`.

        Whoever cuts a run back to a checkpoint keeps the events with `written_at` <= its step.
        """
        return int(self.detail.get("confirmed_step", self.step))

    def to_dict(self) -> dict[str, Any]:
        """The object that a line of `events.jsonl` holds."""
        return {"step": self.step, "event": self.event, "detail": dict(self.detail)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Event:
        """The inverse of `to_dict`."""
        return cls(int(record["step"]), str(record["event"]), dict(record.get("detail") or {}))

    def describe(self) -> str:
        """One line for a person."""
        detail = self.detail
        if self.event == "memorization":
            return f"memorized at step {self.step:,} ({_how(detail, 'training')})"
        if self.event == "grokking":
            delay = detail.get("delay_steps")
            after = "" if delay is None else f", {delay:,} steps after memorization"
            return f"grokked at step {self.step:,}{after} ({_how(detail, 'validation')})"
        if self.event == "plateau":
            return (
                f"plateau at step {self.step:,}: twice the memorization step "
                f"({detail['memorization_step']:,}), and {_value(detail, 'validation')}, "
                f"still short of {detail['threshold']:g}"
            )
        if self.event == "collapse":
            return (
                f"collapsed at step {self.step:,}: {_value(detail, 'validation')}, "
                f"past {detail['threshold']:g}"
            )
        if "message" in detail:
            return f"{self.event.replace('_', ' ')} at step {self.step:,}: {detail['message']}"
        extras = ", ".join(f"{key} {value}" for key, value in detail.items())
        return f"{self.event.replace('_', ' ')} at step {self.step:,}" + (
            f" ({extras})" if extras else ""
        )


def _value(detail: Mapping[str, Any], split: str) -> str:
    value = detail.get("value")
    shown = "not a finite number" if value is None else f"{value:.4g}"
    return f"{split} {detail.get('metric', 'metric')} is {shown}"


def _how(detail: Mapping[str, Any], split: str) -> str:
    sign = "<=" if detail.get("metric") == "loss" else ">="
    held = "held to the end of the run" if detail.get("end_of_run") else "confirmed"
    return (
        f"{split} {detail.get('metric', 'metric')} {sign} {detail['threshold']:g}, "
        f"{held} at step {detail['confirmed_step']:,}"
    )
