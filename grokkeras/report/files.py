"""The figures of a report as files, for papers and slides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grokkeras.files import disk_errors, write_atomic
from grokkeras.report import network as networks
from grokkeras.report.drawing import LIGHT, Drawing
from grokkeras.report.figures import curve_figures, measure_figures, run_colors
from grokkeras.report.settings import differing, kinds_of, told_apart
from grokkeras.run_folder import RunRecord


def all_figures(records: Sequence[RunRecord]) -> dict[str, Drawing]:
    """Every figure of the runs by its file's name without the ending."""
    colors = run_colors(kinds_of(records, told_apart(differing(records))))
    found = curve_figures(records, colors) | measure_figures(records, colors)
    if len(records) == 1 and (network := networks.read_network(records[0])) is not None:
        found |= networks.figures(network)
    return found


def write_figures(records: Sequence[RunRecord], folder: Path) -> int:
    """Writes each figure as `NAME.svg` and `NAME.png`; returns how many there are."""
    with disk_errors("the figures", folder):
        folder.mkdir(parents=True, exist_ok=True)
    figures = all_figures(records)
    for name, drawing in figures.items():
        stem = name.replace("/", "-")
        write_atomic(folder / f"{stem}.svg", drawing.svg(LIGHT).encode(), "a figure")
        write_atomic(folder / f"{stem}.png", drawing.png(), "a figure")
    return len(figures)
