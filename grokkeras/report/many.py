"""The report of several runs side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from grokkeras.logging.story import headline
from grokkeras.logging.words import percent
from grokkeras.report.causes import explain
from grokkeras.report.figures import curve_figures, measure_figures, run_colors
from grokkeras.report.parts import (
    cause_box,
    color_key,
    count,
    figure,
    name_of,
    repeat,
    small_figures,
)
from grokkeras.report.settings import differing, kinds_of, told_apart
from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number
from grokkeras.sweep.tally import median_step

_MOST_NAMED = 4
_MOST_COLUMNS = 8


def many_runs(records: Sequence[RunRecord]) -> Iterator[str]:
    """The parts of the page, in order."""
    differ = differing(records)
    compared = told_apart(differ)
    kinds = kinds_of(records, compared)
    order = list(dict.fromkeys(kinds))
    colors = run_colors(kinds)
    yield f"<h1>{len(records)} runs</h1>"
    yield f'<p class="lead">{_grokked(records)}</p>'
    if compared:
        listed = ", ".join(list(compared)[:_MOST_COLUMNS])
        more = len(compared) - _MOST_COLUMNS
        listed += f" and {more} more settings" if more > 0 else ""
        yield f"<p>They differ in {escape(listed)}; colours tell that apart.</p>"
    names = [
        _named(compared, kind, [r for r, k in zip(records, kinds, strict=True) if k == kind])
        for kind in order
    ]
    if len(names) > 1:
        yield _groups(records, kinds, names)
    key = color_key([(name or "all runs", f"run-{i % 8}") for i, name in enumerate(names)])
    captions = {
        "accuracy": f"{key} Dashed and thin: train; solid: validation. Dots: memorization and "
        "grokking.",
        "loss": "The same runs' losses, on a log scale.",
    }
    for name, drawing in curve_figures(records, colors).items():
        yield figure(drawing, captions[name])
    yield "<h2>The runs</h2>" + _table(records, colors, differ)
    measures = measure_figures(records, colors)
    if measures:
        yield "<h2>Measures</h2>"
        yield from small_figures(measures.values())
    yield "<h2>Each run in words</h2>"
    for record in records:
        yield f"<h3>{escape(name_of(record))}</h3><p>{escape(headline(record, brief=True))}</p>"
        yield from (cause_box(cause) for cause in explain(record) if cause.advice)
    yield repeat(records)


def _named(compared: Iterable[str], kind: Sequence[str], members: Sequence[RunRecord]) -> str:
    """A group by its settings; where they would be a list without end, by its runs."""
    if len(kind) > _MOST_NAMED:
        return ", ".join(map(name_of, members))
    return ", ".join(f"{k.split('.')[-1]} {v}" for k, v in zip(compared, kind, strict=True))


def _groups(
    records: Sequence[RunRecord], kinds: Sequence[tuple[str, ...]], names: list[str]
) -> str:
    """A line a configuration: how many of its runs grokked, and when."""
    lines = []
    for kind, name in zip(dict.fromkeys(kinds), names, strict=True):
        members = [r for r, each in zip(records, kinds, strict=True) if each == kind]
        lines.append(f"<li>{escape(name)}: {_grokked(members)}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _grokked(records: Sequence[RunRecord]) -> str:
    steps = [number(record.summary.get("grokking_step")) for record in records]
    reached = sum(step is not None for step in steps)
    step = median_step(steps)
    which = "the median " if len(steps) > 1 else ""
    middle = "" if step is None else f", {which}at step {step:,.0f}"
    return f"{reached} of {len(records)} grokked{middle}."


def _table(
    records: Sequence[RunRecord], colors: Sequence[str], differ: dict[str, list[str]]
) -> str:
    titles = ["memorized", "grokked", "delay", "validation", "test"]
    head = "".join(f'<th class="n">{title}</th>' for title in titles)
    keys = [key for key in differ if not key.startswith("log.")][:_MOST_COLUMNS]
    settings = "".join(f"<th>{escape(key.split('.')[-1])}</th>" for key in keys)
    rows = []
    for place, (record, color) in enumerate(zip(records, colors, strict=True)):
        s = record.summary
        final = s.get("final") or {}
        steps = [count(s.get(f"{k}_step" if k != "delay" else "delay_steps"))
                 for k in ("memorization", "grokking", "delay")]  # fmt: skip
        cells = [*steps, percent(final.get("val_accuracy")), percent(final.get("test_accuracy"))]
        numbers = "".join(f'<td class="n">{escape(cell)}</td>' for cell in cells)
        values = "".join(f"<td>{escape(differ[key][place])}</td>" for key in keys)
        chip = f'<i class="chip" style="background:var(--{color})"></i>'
        rows.append(
            f"<tr><td class='name'>{chip}{escape(name_of(record))}</td>{numbers}{values}</tr>"
        )
    return (
        f'<div class="scroll"><table><tr><th>run</th>{head}{settings}</tr>'
        f"{''.join(rows)}</table></div>"
    )
