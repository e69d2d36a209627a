"""Published numbers and ours as texts, alike in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from grokkeras.logging.words import duration
from grokkeras.reproduction.cases import Arm, Case, cases
from grokkeras.reproduction.found import Ended
from grokkeras.reproduction.verdict import EXPLAINED, Gain, Result
from grokkeras.sweep.table import shown_range, shown_step

HEAD = ("case", "setting", "published", "our median", "range", "grokked", "ratio", "verdict")


def published(result: Result) -> str:
    """Such as `375 to 575`, `below 1,500` or `21 epochs`."""
    if result.arm.steps is None:
        return "-"
    low, high = result.arm.steps
    unit = "" if result.arm.unit == "steps" else f" {result.arm.unit}"
    if low == high:
        return f"{low:,.0f}{unit}"
    return f"below {high:,.0f}{unit}" if low == 0 else f"{low:,.0f} to {high:,.0f}{unit}"


def judged_by(case: Case) -> str:
    """Such as `Grokked: a validation accuracy of 95 %, for 5 evaluations.`."""
    (job,) = case.arms[0].jobs([0], Path(), None)
    detector = job.config.detector
    value = detector.val_threshold
    mark = f"a validation loss of {value:g}"
    if detector.metric == "accuracy":
        mark = f"a validation accuracy of {value:.0%}".replace("%", " %")
    held = "the first time" if detector.patience == 1 else f"for {detector.patience} evaluations"
    return f"Grokked: {mark}, {held}."


def row(result: Result) -> tuple[str, ...]:
    """A table's cells, as `HEAD` names them."""
    grokked = sum(step is not None for step in result.steps)
    ratio = result.ratio
    return (
        result.arm.case,
        result.arm.what,
        published(result),
        shown_step(result.median),
        shown_range(result.steps),
        f"{grokked} of {len(result.steps)}" if result.steps else "-",
        "-" if ratio is None else f"{ratio:.2f}",
        result.verdict,
    )


def gain_row(gain: Gain) -> tuple[str, str, str, str, str]:
    """Case, setting, what it is held against, and both factors."""
    beside = gain.beside.what if gain.beside.case == gain.arm.case else (
        f"{gain.beside.case}, {gain.beside.what}"
    )  # fmt: skip
    return (gain.arm.case, gain.arm.what, beside, factor(gain.published), factor(gain.ours))


def factor(value: float | None) -> str:
    """Such as `1.2`."""
    return "-" if value is None else f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def time_taken(seconds: Sequence[float]) -> str:
    """The median run's."""
    ordered = sorted(seconds)
    return duration(ordered[(len(ordered) - 1) // 2]) if ordered else "-"


def results_table(arms: Sequence[Arm], found: Mapping[str, Sequence[Ended]]) -> Table:
    """Published beside ours, for the terminal."""
    table = Table(
        title="Published beside ours",
        caption=EXPLAINED,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for place, title in enumerate(HEAD):
        table.add_column(title, justify="right" if 2 <= place < 7 else "left", overflow="fold")
    for arm in arms:
        table.add_row(*row(Result.of(arm, found.get(arm.name, ()))))
    return table


def list_lines(arms: Sequence[Arm]) -> list[str]:
    """The cases with their single settings."""
    chosen = {arm.name for arm in arms}
    lines = []
    for case in cases():
        members = [arm for arm in case.arms if arm.name in chosen]
        if members:
            lines.append(f"{case.name:<4} {case.title} ({case.source})")
        for arm in members:
            told = published(Result(arm, ()))
            number = "" if told == "-" else f": {told} {'steps' if arm.unit == 'steps' else ''}"
            needs = f"; needs {arm.needs}" if arm.needs else ""
            lines.append(f"     {arm.name:<16} {arm.what}{number.rstrip()}{needs}")
    return lines
