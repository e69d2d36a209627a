"""What happened in a run, for the page: from its run folder, else from its curves.

A run of ours has its `events.jsonl`, `summary.json` and `config.yaml` two folders above the event
files. Any other run, or a log directory that is not a local folder, is judged by the detector's
defaults on its accuracy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grokkeras.detection import Detector, Event
from grokkeras.detection.phases import name_phase
from grokkeras.errors import GrokkerasError
from grokkeras.forecast import forecast_run
from grokkeras.run_folder import RunRecord, read_run
from grokkeras.tensorboard_plugin.curves import value_at

_UNTOLD = ("checkpoint",)
Curve = tuple[Sequence[int], Sequence[float]]


def folder_of(logdir: str | None, run: str) -> Path | None:
    """The run folder on this machine, or None.

    Args:
        logdir: what TensorBoard was started with; a cloud address or None is no folder.
        run: the run's path below it, as written in the event files' folders. A path that leads
            out of `logdir` is not followed.
    """
    if not logdir or "://" in logdir or "," in logdir:
        return None
    root = os.path.realpath(logdir)
    path = os.path.realpath(os.path.join(root, run))
    if os.path.commonpath([root, path]) != root:
        return None
    # `grokkeras board RUN/tensorboard`: the log directory is itself inside the run folder.
    if not run and os.path.basename(root) == "tensorboard":
        path = os.path.dirname(root)
    files = ("summary.json", "config.yaml", "events.jsonl")
    return Path(path) if any(os.path.isfile(os.path.join(path, f)) for f in files) else None


def tell(run: str, folder: Path | None, curves: Mapping[str, Curve]) -> dict[str, Any]:
    """Everything but the curves that the page shows of a run.

    Args:
        run: the run's name.
        folder: its run folder, if there is one.
        curves: `SPLIT/NAME` to (steps, values), at least the accuracies.

    Returns:
        `status`, `phase`, `memorization_step`, `grokking_step`, `delay_steps`, `collapse_step`,
        `forecast` (step, low, high, text; None of a run that does not wait), `events` (step, name,
        text), `settings` (dotted keys), `final` and `problems`.
    """
    record: RunRecord | None = None
    problems: list[str] = []
    if folder is not None:
        try:
            record = read_run(folder)
            problems += record.problems
        except (GrokkerasError, OSError) as error:
            problems.append(str(error))
    settings = flatten(record.config) if record else {}
    if record is not None and record.events:
        events = _recorded(record, problems)
    else:
        events, said = _replay(curves, record.config.get("detector", {}) if record else {})
        problems += said
    events = [event for event in events if event.event not in _UNTOLD]
    summary = record.summary if record else {}
    steps = {event.event: event.step for event in reversed(events)}
    memorized, grokked = steps.get("memorization"), steps.get("grokking")
    least = settings.get("detector.min_delay")
    return {
        "status": summary.get("status"),
        "phase": name_phase(memorized, grokked, least if isinstance(least, int) else 1000),
        "memorization_step": memorized,
        "grokking_step": grokked,
        "delay_steps": None if memorized is None or grokked is None else grokked - memorized,
        "collapse_step": steps.get("collapse"),
        "forecast": _forecast(curves, memorized, grokked),
        "events": [
            {"step": event.step, "event": event.event, "text": _text(event)} for event in events
        ],
        "settings": settings,
        "final": _final(summary, curves),
        "problems": problems,
    }


def flatten(mapping: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys; lists and schedules as text."""
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping) and "schedule" not in value:
            flat.update(flatten(value, f"{above}{key}."))
        elif value is None or isinstance(value, (bool, int, float, str)):
            flat[f"{above}{key}"] = value
        else:
            flat[f"{above}{key}"] = str(value)
    return flat


def _recorded(record: RunRecord, problems: list[str]) -> list[Event]:
    events = []
    for each in record.events:
        try:
            events.append(Event.from_dict(each))
        except (KeyError, TypeError, ValueError):
            problems.append("events.jsonl: an event without a name was left out.")
    return events


def _replay(
    curves: Mapping[str, Curve], settings: Mapping[str, Any]
) -> tuple[list[Event], list[str]]:
    train, val = curves.get("train/accuracy"), curves.get("val/accuracy")
    if not train or not val:
        return [], ["No training and validation accuracy, so no phases can be told."]
    try:
        detector = Detector(**settings)
        if settings.get("metric") == "loss":
            train, val = curves.get("train/loss", train), curves.get("val/loss", val)
        for step, value in zip(*train, strict=True):
            other = value_at(*val, step)
            if other is not None:
                detector.update(step, value, other)
        detector.finish()
    except (GrokkerasError, TypeError) as error:
        return [], [f"The phases cannot be told: {error}"]
    return list(detector.events), []


def _forecast(
    curves: Mapping[str, Curve], memorized: int | None, grokked: int | None
) -> dict[str, Any] | None:
    losses = zip(*curves.get("val/loss", ((), ())), strict=True)
    rows = [{"step": step, "val_loss": value} for step, value in losses]
    told = forecast_run(rows, memorized, grokked)
    if told is None:
        return None
    return {"step": told.step, "low": told.low, "high": told.high, "text": told.sentence()}


def _text(event: Event) -> str:
    try:
        return event.describe()
    except (KeyError, TypeError, ValueError):  # a detail of another version, or edited by hand
        return f"{event.event.replace('_', ' ')} at step {event.step:,}"


def _final(summary: Mapping[str, Any], curves: Mapping[str, Curve]) -> dict[str, float | None]:
    given = summary.get("final")
    known = dict(given) if isinstance(given, Mapping) else {}
    for split in ("train", "val"):
        steps, values = curves.get(f"{split}/accuracy", ((), ()))
        if known.get(f"{split}_accuracy") is None and steps:
            known[f"{split}_accuracy"] = values[-1]
    return {f"{s}_accuracy": known.get(f"{s}_accuracy") for s in ("train", "val", "test")}
