"""`bench runs`: what a run costs around its optimizer steps, and how fast the program answers.

Each figure has a bound that it should stay on the right side of; none is a ratio to another loop.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from grokkeras.errors import GrokkerasError

REPEATS = 5
# Where memory is compared: after everything is compiled and every buffer is made, and at the end.
SETTLED_STEP, LAST_STEP = 10_000, 200_000


@dataclass(frozen=True)
class Figure:
    """One figure beside its bound.

    Attributes:
        what: what was measured.
        value: in `unit`.
        unit: of value and bound.
        bound: what the value should not exceed, or not fall below.
        at_least: whether the bound is a lower one.
    """

    what: str
    value: float
    unit: str
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the value is on the right side of its bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def bench_runs(console: Console, backends: Sequence[str]) -> dict[str, Any]:
    """Measures all figures, prints them, returns them for the JSON file."""
    figures = answer_times(console.print)
    for backend in backends:
        figures.append(training_share(backend, console.print))
    if Path("/proc/self/statm").exists():
        for backend in backends:
            figures.append(memory_growth(backend, console.print))
    else:
        console.print("Memory is not measured: this system has no /proc/self/statm.")
    console.print(figures_table(figures))
    return {"figures": [asdict(figure) | {"met": figure.met} for figure in figures]}


def answer_times(say: Callable[[str], object]) -> list[Figure]:
    """Seconds until `--help` and a refused configuration have answered: medians."""
    refused = ["run", "quickstart", "--set", "task.modulus=1"]
    rows = (("--help", ["--help"], 0.3), ("a refused configuration", refused, 1.0))
    figures = []
    for what, arguments, bound in rows:
        say(f"timing {what}")
        seconds = statistics.median(_seconds_of(arguments) for _ in range(REPEATS))
        figures.append(Figure(f"grokkeras answers {what}", seconds, "s", bound))
    return figures


def training_share(backend: str, say: Callable[[str], object]) -> Figure:
    """Share of the quickstart's time after its first call that goes into optimizer steps."""
    say(f"quickstart on {backend}")
    share = 100 * quickstart_summary(backend)["training_share"]
    what = f"quickstart, {backend}: time in optimizer steps"
    return Figure(what, share, "%", 93, at_least=True)


def quickstart_summary(backend: str, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs the quickstart in a process of its own; what its `summary.json` holds.

    Args:
        backend: which.
        settings: text by dotted key, for `--set`.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = ["run", "quickstart", "--backend", backend, "--out", str(out), "--plain"]
        for name, value in (settings or {}).items():
            command += ["--set", f"{name}={value}"]
        grokkeras_output(command)
        summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return summary


def memory_growth(backend: str, say: Callable[[str], object]) -> Figure:
    """Megabytes that a small run gains between `SETTLED_STEP` and `LAST_STEP`."""
    say(f"{LAST_STEP:,} steps of a small run on {backend}")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "grokkeras.bench.memory"]
        out = command_output([*command, backend, str(Path(folder) / "run"), str(LAST_STEP)])
    by_step = {int(step): held for step, held in json.loads(out.splitlines()[-1]).items()}
    settled = min(step for step in by_step if step >= SETTLED_STEP)
    growth = (by_step[max(by_step)] - by_step[settled]) / 1e6
    what = f"small run, {backend}: memory from step {settled:,} to {max(by_step):,}"
    return Figure(what, growth, "MB", 20)


def figures_table(figures: Sequence[Figure], title: str = "Around the optimizer steps") -> Table:
    """A row a figure."""
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("measured", justify="right")
    table.add_column("bound", justify="right")
    table.add_column("met")
    for figure in figures:
        side = "at least" if figure.at_least else "at most"
        table.add_row(
            figure.what,
            f"{figure.value:.3g} {figure.unit}",
            f"{side} {figure.bound:g} {figure.unit}",
            "yes" if figure.met else "[bold red]no[/]",
        )
    return table


def _seconds_of(arguments: Sequence[str]) -> float:
    command = [sys.executable, "-m", "grokkeras", *arguments]
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - start


def grokkeras_output(arguments: Sequence[str]) -> str:
    """What the program prints; see `command_output`."""
    return command_output([sys.executable, "-m", "grokkeras", *arguments])


def command_output(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a command prints.

    Raises:
        GrokkerasError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise GrokkerasError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout
