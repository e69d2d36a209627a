"""Numbers and events in words, the same in every view of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grokkeras.strict_json import number

if TYPE_CHECKING:
    from grokkeras.detection import Event

STAGES = {
    "memorization": "overfitting",
    "grokking": "grokked",
    "collapse": "collapsed",
}
"""The stage that a run enters with an event; before any of them it is `memorizing`."""

_SILENT = ("checkpoint", "resume")
_SPLITS = {"memorization": "train", "grokking": "validation"}


def percent(value: object) -> str:
    """0.9987 as "99.9 %"; never rounded up to 100 % nor down to 0 %."""
    share = number(value)
    if share is None:
        return "-"
    shown = f"{100 * share:.1f}"
    if shown == "100.0" and share < 1:
        shown = "99.9"
    elif shown == "0.0" and share > 0:
        shown = "0.1"
    return f"{shown} %"


def loss(value: object) -> str:
    """A loss in three figures."""
    shown = number(value)
    if shown is None:
        return "-"
    return f"{shown:.2e}" if shown and not 1e-3 <= abs(shown) < 1e4 else f"{shown:.3g}"


def duration(seconds: float) -> str:
    """Seconds as "8.3 s", "75 s", "12 min", "3 h 20 min" or "2 days 4 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def varying(values: Mapping[str, float]) -> list[str]:
    """What follows a schedule, such as `weight decay 0.31`."""
    return [f"{name.replace('_', ' ')} {value:.3g}" for name, value in values.items()]


def steps_taken(count: int) -> str:
    """3100 as "3,100 steps"."""
    return f"{count:,} step" + ("" if count == 1 else "s")


def speed(steps_per_second: object) -> str:
    """Steps a second, or a second's fraction of them, or what is being waited for."""
    value = number(steps_per_second)
    if value is None:
        return "measuring speed"
    return f"{value:,.0f} steps/s" if value >= 10 else f"{value:.2g} steps/s"


def announcement(event: Event) -> str | None:
    """The line with which an event is announced, or None for what nobody needs to be told."""
    if event.event in _SILENT:
        return None
    detail = event.detail
    at = f"step {event.step:,}: "
    if event.event == "memorization":
        return f"{at}memorized ({_reached(event)}), {_confirmed(detail)}"
    if event.event == "grokking":
        delay = number(detail.get("delay_steps"))
        after = f", {delay:,.0f} steps after memorizing" if delay is not None and delay > 0 else ""
        return f"{at}GROKKED{after} ({_reached(event)}), {_confirmed(detail)}"
    if event.event == "plateau":
        return f"{at}plateau: {_value(detail)} at twice the memorization step"
    if event.event == "collapse":
        return f"{at}COLLAPSED, {_value(detail)}"
    return event.describe()


def _reached(event: Event) -> str:
    metric = event.detail.get("metric", "accuracy")
    threshold = number(event.detail.get("threshold"))
    what = f"{_SPLITS[event.event]} {metric}"
    if threshold is None:
        return what
    return f"{what} <= {threshold:g}" if metric == "loss" else f"{what} >= {100 * threshold:g} %"


def _value(detail: Mapping[str, Any]) -> str:
    metric = detail.get("metric", "accuracy")
    value = detail.get("value")
    return f"validation {metric} {loss(value) if metric == 'loss' else percent(value)}"


def _confirmed(detail: Mapping[str, Any]) -> str:
    if detail.get("end_of_run"):
        return "held to the end of the run"
    step = number(detail.get("confirmed_step"))
    return "confirmed" if step is None else f"confirmed at step {step:,.0f}"
