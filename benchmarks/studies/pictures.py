"""The grokking step of every seed, a line an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grokkeras.report.drawing import Drawing
from grokkeras.report.plot import Scale
from grokkeras.reproduction.pictures import step_axis
from grokkeras.sweep.tally import median_step

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 780.0, 24.0, 290.0, 690.0, 34.0, 46.0
# Seeds of the same step would hide one another.
_APART = (0.0, 5.0, -5.0)


@dataclass(frozen=True)
class Row:
    """An arm, or the heading of those that follow.

    Attributes:
        label: its name.
        color: of its dots; "" for a heading.
        steps: the grokking step of each seed; None: not in time.
    """

    label: str
    color: str = ""
    steps: Sequence[int | None] = ()


def seeds_picture(rows: Sequence[Row], title: str) -> Drawing:
    """A dot a seed on a logarithmic axis, and a line at the median of each arm."""
    seen = [step for row in rows for step in row.steps if step is not None]
    bottom = _TOP + _ROW * len(rows)
    drawing = Drawing(_WIDTH, bottom + _BOTTOM, title)
    low, high = min(seen, default=10) / 1.15, max(seen, default=1000) * 1.15
    axis = Scale(low, high, _LEFT, _RIGHT, True)
    step_axis(drawing, axis, _TOP, bottom)
    _key(drawing)
    for place, row in enumerate(rows):
        _draw(drawing, axis, row, _TOP + _ROW * (place + 0.5))
    return drawing


def _key(drawing: Drawing) -> None:
    for x, color, words in ((_LEFT, "run-0", "constant"), (_LEFT + 90, "run-1", "schedule")):
        drawing.dot(x + 5, 14, 4.5, color)
        drawing.text(x + 15, 18, words, "text", 12)
    drawing.text(_LEFT + 190, 18, "a dot a seed; the line is their median", "text", 12)


def _draw(drawing: Drawing, axis: Scale, row: Row, y: float) -> None:
    if not row.color:
        drawing.rect(0, y - _ROW / 2, _WIDTH, _ROW, "memorizing")
        drawing.text(12, y + 4, row.label, "text", 12)
        return
    drawing.line([(_LEFT, y + _ROW / 2), (_WIDTH - 8, y + _ROW / 2)], "grid")
    drawing.text(_LEFT - 12, y + 4, row.label, "text", 12, "end")
    if not row.steps:
        drawing.text(_RIGHT + 10, y + 4, "not run yet", "dim", 11)
        return
    median = median_step(row.steps)
    if median is not None:
        drawing.line([(axis(median), y - 10), (axis(median), y + 10)], "text", 2)
    for place, step in enumerate(row.steps):
        if step is not None:
            height = y + _APART[row.steps[:place].count(step) % len(_APART)]
            drawing.dot(axis(step), height, 4.5, row.color, f"{row.label}: step {step:,}")
    never = sum(step is None for step in row.steps)
    if never:
        drawing.text(_RIGHT + 10, y + 4, f"{never} of {len(row.steps)} never", "dim", 11)
