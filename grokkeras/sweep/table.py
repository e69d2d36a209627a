"""The table at the end of a sweep."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from grokkeras.logging.words import duration
from grokkeras.sweep.jobs import Outcome
from grokkeras.sweep.tally import Tally, median_step, tally

CAPTION = (
    "Median over the finished runs; one that never came counts as later than all others. "
    "Range: of those that grokked."
)


def print_results(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Prints a row a setting, and below it why runs failed."""
    table = Table(
        caption=CAPTION, caption_justify="left", box=box.SIMPLE_HEAD, title="What the seeds came to"
    )
    table.add_column("setting", overflow="fold")
    for title in ("grokked", "memorized", "grokking step", "range", "time"):
        table.add_column(title, justify="right")
    for row in tally(outcomes):
        table.add_row(*_cells(row))
    console.print(table)
    for outcome in outcomes:
        if outcome.status == "failed":
            console.print(f"{outcome.job.folder} failed: {outcome.error}", soft_wrap=True)


def _cells(row: Tally) -> list[str]:
    notes = [f"{count} {word}" for count, word in ((row.failed, "failed"), (row.missing, "missing"))
             if count]  # fmt: skip
    grokked = f"{row.grokked} of {row.finished}" + "".join(f", {note}" for note in notes)
    seconds = sorted(row.seconds)
    middle = duration(seconds[(len(seconds) - 1) // 2]) if seconds else "-"
    return [
        row.setting,
        grokked,
        shown_step(median_step(row.memorization_steps)),
        shown_step(median_step(row.grokking_steps)),
        shown_range(row.grokking_steps),
        middle,
    ]


def shown_step(step: float | None) -> str:
    """A step as a table shows it."""
    return "-" if step is None else f"{step:,.0f}"


def shown_range(steps: Sequence[float | None]) -> str:
    """First and last of the steps that came."""
    came = sorted(step for step in steps if step is not None)
    return f"{came[0]:,.0f} to {came[-1]:,.0f}" if came else "-"
