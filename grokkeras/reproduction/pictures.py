"""The pictures of `docs/reproduction.md`: steps beside the published ones, and the runs' curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grokkeras.report.drawing import Drawing
from grokkeras.report.plot import Plot, Scale, short
from grokkeras.reproduction.found import Curve
from grokkeras.reproduction.verdict import Result

PUBLISHED, OURS = "run-1", "run-0"
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 780.0, 24.0, 210.0, 690.0, 34.0
_PANEL_WIDE, _PANEL_HIGH, _COLUMNS = 384.0, 190.0, 2


def steps_picture(results: Sequence[Result]) -> Drawing:
    """A line an arm: the published steps as a bar, each seed of ours as a dot.

    Args:
        results: arms whose published number counts epochs, or that have none and did not run, are
            left out.
    """
    rows = [r for r in results if _published(r) is not None or any(r.steps)]
    ends = [step for r in rows for step in (*(_published(r) or ()), *r.steps) if step]
    height = _TOP + _ROW * len(rows) + 46
    drawing = Drawing(_WIDTH, height, "Grokking steps, published and ours")
    axis = Scale(min(ends, default=10) / 1.3, max(ends, default=1000) * 1.3,
                 _LEFT, _RIGHT, True)  # fmt: skip
    bottom = height - 46
    step_axis(drawing, axis, _TOP, bottom)
    _key(drawing)
    for place, result in enumerate(rows):
        _row(drawing, axis, result, _TOP + _ROW * (place + 0.5))
    return drawing


def step_axis(drawing: Drawing, axis: Scale, top: float, bottom: float) -> None:
    """Grid lines at the ticks of a logarithmic axis of grokking steps, and its words below."""
    for step in axis.ticks(8):
        drawing.line([(axis(step), top), (axis(step), bottom)], "grid")
        drawing.text(axis(step), bottom + 16, short(step), "dim", 11, "middle")
    middle = (axis.start + axis.end) / 2
    drawing.text(middle, bottom + 36, "grokking step (log)", "dim", 11, "middle")


def _key(drawing: Drawing) -> None:
    drawing.rect(_LEFT, 6, 22, 16, PUBLISHED)
    drawing.text(_LEFT + 28, 18, "published", "text", 12)
    drawing.dot(_LEFT + 118, 14, 4.5, OURS)
    drawing.text(_LEFT + 128, 18, "ours, a seed each; the line is their median", "text", 12)


def _row(drawing: Drawing, axis: Scale, result: Result, y: float) -> None:
    color = "text" if result.arm.comparable else "dim"
    drawing.text(_LEFT - 12, y + 4, f"{result.arm.case}  {result.arm.what}", color, 12, "end")
    drawing.line([(_LEFT, y + _ROW / 2), (_WIDTH - 8, y + _ROW / 2)], "grid")
    steps = _published(result)
    if steps is not None:
        left = axis(steps[0]) - 3 if steps[0] else axis.start
        drawing.rect(left, y - 8, axis(steps[1]) + 3 - left, 16, PUBLISHED)
    if result.median is not None:
        x = axis(result.median)
        drawing.line([(x, y - 9), (x, y + 9)], OURS, 2)
    for step in result.steps:
        if step is not None:
            drawing.dot(axis(step), y, 4.5, OURS, f"{result.arm.name}: step {step:,.0f}")
    never = sum(step is None for step in result.steps)
    if never:
        words = f"{never} of {len(result.steps)} never"
        drawing.text(_RIGHT + 10, y + 4, words, "dim", 11)
    elif not result.steps:
        drawing.text(_RIGHT + 10, y + 4, "not run yet", "dim", 11)


def curves_picture(runs: Mapping[str, Sequence[Curve]]) -> Drawing:
    """A panel an arm: training and validation accuracy of every seed over steps.

    Args:
        runs: each run's curve by the panel's title; at least one.
    """
    rows = -(-len(runs) // _COLUMNS)
    drawing = Drawing(_PANEL_WIDE * _COLUMNS, (_PANEL_HIGH + 22) * rows + 24, "Accuracy over steps")
    drawing.line([(64, 12), (86, 12)], "run-0", 1.1, dash=True)
    drawing.text(92, 16, "training", "text", 12)
    drawing.line([(160, 12), (182, 12)], "run-1", 1.6)
    drawing.text(188, 16, "validation accuracy, a curve a seed", "text", 12)
    for place, (title, curves) in enumerate(runs.items()):
        x = _PANEL_WIDE * (place % _COLUMNS)
        y = 24 + (_PANEL_HIGH + 22) * (place // _COLUMNS)
        drawing.text(x + 64, y + 16, title, "text", 12)
        drawing.place(_panel(curves), x, y + 8)
    return drawing


def _panel(curves: Sequence[Curve]) -> Drawing:
    last = max((step for curve in curves for step, *_ in curve[-1:]), default=10)
    plot = Plot(_PANEL_WIDE, _PANEL_HIGH, (1, last), (-0.02, 1.03), "accuracy",
                label=lambda value: f"{100 * value:.0f} %")  # fmt: skip
    plot.axes()
    for split, color, width in ((1, "run-0", 1.1), (2, "run-1", 1.6)):
        for curve in curves:
            steps, values = [point[0] for point in curve], [point[split] for point in curve]
            plot.curve(steps, values, color, width, split == 1)
    return plot.drawing


def _published(result: Result) -> tuple[float, float] | None:
    return result.arm.steps if result.arm.unit == "steps" else None
