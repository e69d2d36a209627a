"""Tables in Markdown, put between two marks of a page whose words are written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def share(row: Mapping[str, Any]) -> str:
    """Such as `4 of 5`."""
    return "not run yet" if not row["seeds"] else f"{row['grokked']} of {row['seeds']}"


def steps(row: Mapping[str, Any], key: str = "steps") -> str:
    """The median step, or that half of the seeds or more came to none."""
    if not row["seeds"]:
        return ""
    return "not in time" if row[key] is None else f"{row[key]:,}"


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_table(
    page: Path, name: str, headings: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Replaces what stands between `<!-- NAME -->` and `<!-- end NAME -->` in a page.

    Raises:
        ValueError: the page lacks the marks.
    """
    table = markdown(headings, rows)
    print(table)
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} lacks {start} or {end}")
    page.write_text(f"{before}{start}\n\n{table}\n\n{end}{after}", encoding="utf-8")
