"""The table that `bench steps` prints."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table

from grokkeras.bench.results import Ratio
from grokkeras.bench.suite import EXPLAINED, KINDS


def steps_table(rows: Iterable[Ratio], repeats: int) -> Table:
    """A row a comparison: both medians, their ratio, its target and whether it is met."""
    title = f"Optimizer steps a second, medians of {repeats}"
    # Without frames it stays within 80 columns.
    table = Table(title=title, caption=EXPLAINED, caption_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("backend")
    table.add_column("grokkeras", justify="right")
    table.add_column("beside")
    table.add_column("steps/s", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("target", justify="right")
    table.add_column("met")
    previous = None
    for row in rows:
        ours, baseline = row.comparison.ours, row.comparison.baseline
        if previous is not None and previous != ours.workload:
            table.add_section()
        previous = ours.workload
        name = KINDS[baseline.kind]
        other = f" ({baseline.backend})" if baseline.backend != ours.backend else ""
        target = row.comparison.target
        table.add_row(
            ours.workload,
            ours.backend,
            _rate(row.ours),
            name + other,
            _rate(row.baseline),
            f"{row.ratio:.2f}",
            "" if target is None else f"{target:g}",
            {None: "", True: "yes", False: "[bold red]no[/]"}[row.met],
        )
    return table


def _rate(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
