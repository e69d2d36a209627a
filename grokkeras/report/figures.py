"""The figures of a report: curves, measures and schedules of one run or of many."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from grokkeras.report.drawing import RUNS, Drawing
from grokkeras.report.plot import Plot, short
from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number

SCHEDULES = ("learning_rate", "weight_decay", "dropout_rate")
_FIRST = ("step", "seconds", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
_WIDE, _HIGH = 780.0, 320.0
_SMALL_WIDE, _SMALL_HIGH = 384.0, 210.0
_MOST_MEASURES = 16


def curve_figures(records: Sequence[RunRecord], colors: Sequence[str]) -> dict[str, Drawing]:
    """Accuracy and loss over steps.

    Args:
        records: the runs.
        colors: of each run; a single run has one colour a split instead.
    """
    found = {}
    for metric in ("accuracy", "loss"):
        lists = [_column(r, f"{split}_{metric}") for r in records for split in ("train", "val")]
        if any(any(v is not None for v in each) for each in lists):
            found[metric] = _curves(records, colors, metric, lists)
    return found


def _curves(
    records: Sequence[RunRecord],
    colors: Sequence[str],
    metric: str,
    lists: Iterable[Sequence[float | None]],
) -> Drawing:
    log = metric == "loss"
    values = [v for each in lists for v in each if v is not None and (not log or v > 0)]
    low, high = (min(values, default=0.1), max(values, default=1.0)) if log else (-0.02, 1.03)
    if log:
        low, high = low / 1.5, high * 1.5
    label = short if log else (lambda value: f"{100 * value:.0f} %")
    plot = Plot(_WIDE, _HIGH, _reach(records), (low, high), metric, log, label)
    alone = len(records) == 1
    if alone:
        plot.stages(stages(records[0]))
    plot.axes()
    for record, color in zip(records, colors, strict=True):
        steps = _steps(record)
        for split in ("train", "val"):
            column = _column(record, f"{split}_{metric}")
            if alone:
                plot.curve(steps, column, "run-0" if split == "train" else "run-1")
            else:
                plot.curve(steps, column, color, 1.1 if split == "train" else 2, split == "train")
    for record, color in zip(records, colors, strict=True):
        _marks(plot, record, metric, "text" if alone else color, alone)
    if alone and metric == "accuracy":
        memorized, grokked = _event(records[0], "memorization"), _event(records[0], "grokking")
        if memorized and grokked and grokked > memorized:
            plot.span(memorized, grokked, f"delay {grokked - memorized:,} steps")
    return plot.drawing


def measure_figures(records: Sequence[RunRecord], colors: Sequence[str]) -> dict[str, Drawing]:
    """One small chart a measure or schedule that any run has and that is not always the same."""
    keys: dict[str, None] = {}
    for record in records:
        for each in record.metrics[-1:] + record.metrics[:1]:
            keys.update(dict.fromkeys(each))
    names = [key for key in keys if key not in _FIRST]
    # Schedules last; of parts, such as one number a layer, as many as there is room for: the first
    # of each measure, then the second of each.
    places = {name: _place_among_parts(name, names) for name in names}
    names.sort(key=lambda name: (name in SCHEDULES, "/" in name, places[name]))
    found: dict[str, Drawing] = {}
    for name in names:
        columns = [_column(record, name) for record in records]
        values = [value for column in columns for value in column if value is not None]
        if len(set(values)) > 1 and len(found) < _MOST_MEASURES:
            found[name] = _measure(records, colors, name, columns, values)
    return found


def _place_among_parts(name: str, names: Sequence[str]) -> int:
    whole = name.partition("/")[0]
    return [each for each in names if each.partition("/")[0] == whole].index(name)


def _measure(
    records: Sequence[RunRecord],
    colors: Sequence[str],
    name: str,
    columns: Sequence[Sequence[float | None]],
    values: Sequence[float],
) -> Drawing:
    low, high = min(values), max(values)
    log = low > 0 and high / low > 100
    room = 0.05 * (high - low)
    ends = (low / 1.3, high * 1.3) if log else (low - room, high + room)
    plot = Plot(_SMALL_WIDE, _SMALL_HIGH, _reach(records), ends, _title(name), log, above=True)
    plot.axes()
    if len(records) == 1:
        for event in ("memorization", "grokking", "collapse"):
            step = _event(records[0], event)
            if step:
                plot.upright(step)
    for record, color, column in zip(records, colors, columns, strict=True):
        known = [(s, v) for s, v in zip(_steps(record), column, strict=True) if v is not None]
        color = "run-3" if len(records) == 1 else color
        plot.curve([s for s, _ in known], [v for _, v in known], color, 1.6)
    return plot.drawing


def stages(record: RunRecord) -> list[tuple[str, float, float]]:
    """(name, from, to) of the stages that a run went through."""
    last = record.metrics[-1]["step"] if record.metrics else 1
    memorized, grokked = _event(record, "memorization"), _event(record, "grokking")
    marks: list[tuple[str, int]] = [("memorizing", 1)]
    if memorized is not None and (grokked is None or memorized < grokked):
        marks.append(("overfitting", memorized))
    if grokked is not None:
        marks.append(("grokked", grokked))
    collapsed = _event(record, "collapse")
    if collapsed is not None:
        marks.append(("collapsed", collapsed))
    ends = [step for _, step in marks[1:]] + [last]
    return [
        (name, begin, end) for (name, begin), end in zip(marks, ends, strict=True) if end > begin
    ]


def run_colors(kinds: Sequence[Hashable]) -> list[str]:
    """A colour each, the same for runs of one kind."""
    order = list(dict.fromkeys(kinds))
    return [f"run-{order.index(kind) % RUNS}" for kind in kinds]


def _marks(plot: Plot, record: RunRecord, metric: str, color: str, lines: bool) -> None:
    for event, split in (("memorization", "train"), ("grokking", "val"), ("collapse", "val")):
        step = _event(record, event)
        if not step:
            continue
        if lines:
            plot.upright(step)
        column = _column(record, f"{split}_{metric}")
        at = next((v for s, v in zip(_steps(record), column, strict=True) if s >= step), None)
        plot.mark(step, at, color, f"{record.path.name}: {event} at step {step:,}")


def _reach(records: Sequence[RunRecord]) -> tuple[float, float]:
    return 1.0, float(max((s for r in records for s in _steps(r)), default=10))


def _steps(record: RunRecord) -> list[float]:
    return [number(each.get("step")) or 0.0 for each in record.metrics]


def _column(record: RunRecord, key: str) -> list[float | None]:
    return [number(each.get(key)) for each in record.metrics]


def _event(record: RunRecord, name: str) -> int | None:
    found: Mapping[str, Any] | None = next(
        (each for each in record.events if each.get("event") == name), None
    )
    step = number(found.get("step")) if found else None
    return None if step is None else int(step)


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words if len(words) <= 48 else f"{words[:20]}…{words[-27:]}"
