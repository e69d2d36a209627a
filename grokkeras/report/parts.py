"""Pieces of HTML that every report is made of. Whatever comes from a run is escaped here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from grokkeras.report.cause import Cause
from grokkeras.report.drawing import Drawing
from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number


def repeat(records: Sequence[RunRecord]) -> str:
    """The commands that repeat the runs."""
    commands = "\n".join(
        f"grokkeras run {shlex.quote(str(record.path / 'config.yaml'))}" for record in records
    )
    return f"<h2>To repeat</h2><pre>{escape(commands)}</pre>"


def cause_box(cause: Cause) -> str:
    """A cause with what to do."""
    advice = f"<p><b>What to do:</b> {escape(cause.advice)}</p>" if cause.advice else ""
    source = f'<p class="dim">Known from: {escape(cause.source)}.</p>' if cause.source else ""
    name = cause.name[:1].upper() + cause.name[1:]
    return (
        f'<div class="cause"><p><b>{escape(name)}.</b> {escape(cause.evidence)}</p>'
        f"{advice}{source}</div>"
    )


def figure(drawing: Drawing, caption: str = "") -> str:
    """A drawing; `caption` is HTML."""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{drawing.svg()}{below}</figure>"


def small_figures(drawings: Iterable[Drawing]) -> Iterator[str]:
    """Drawings side by side."""
    yield '<div class="small">'
    yield from (figure(drawing) for drawing in drawings)
    yield "</div>"


def color_key(entries: Sequence[tuple[str, str]]) -> str:
    """Names, each behind its colour."""
    return " ".join(
        f'<i class="chip" style="background:var(--{color})"></i>{escape(name)} &nbsp;'
        for name, color in entries
    )


def count(value: object) -> str:
    """A whole number of steps, or a dash."""
    found = number(value)
    return "-" if found is None else f"{found:,.0f}"


def name_of(record: RunRecord) -> str:
    """The name of a run folder."""
    return Path(record.path).resolve().name
