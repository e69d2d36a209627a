"""`bench logging`: what measures and logs cost a run, what they leave, how fast the tab is."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from grokkeras.bench.memory import SMALL_RUN
from grokkeras.bench.tab import tab_figures
from grokkeras.bench.whole_runs import (
    Figure,
    command_output,
    figures_table,
    grokkeras_output,
    quickstart_summary,
)
from grokkeras.config.measures import MEASURES

REPEATS = 3
LONG_STEPS = 1_000_000
SCALARS = 100_000

Say = Callable[[str], object]

_OFF = {"log.tensorboard": "false", "log.measures": "[]"}
_EVERYTHING = {
    "log.measures": f"[{', '.join(MEASURES)}]",
    "log.histograms": "true",
    "log.images": "true",
}
# Name to settings of the quickstart, and what it may cost beside the first in percent.
VARIANTS: Mapping[str, tuple[Mapping[str, str], float]] = {
    "off": (_OFF, 0.0),
    "default measures and logs": ({}, 3.0),
    "all measures, histograms, images": (_EVERYTHING, 15.0),
}


def bench_logging(console: Console, backends: Sequence[str]) -> dict[str, Any]:
    """Measures all figures on the first backend, prints them, returns them for the JSON file."""
    backend = backends[0]
    figures = quickstart_costs(backend, console.print)
    figures += long_run(backend, LONG_STEPS, console.print)
    if Path("/proc/self/statm").exists() and "jax" in backends:
        figures += scalar_figures(SCALARS, console.print)
    else:
        console.print("Skipped: writing scalars is measured with jax, on Linux.")
    figures += tab_figures(console.print)
    console.print(figures_table(figures, f"Measures and logs, {backend}"))
    return {
        "backend": backend,
        "repeats": REPEATS,
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
    }


def quickstart_costs(backend: str, say: Say) -> list[Figure]:
    """Percent that each variant adds to the quickstart's time a step, the first call left out."""
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for turn in range(REPEATS):
        for name, (settings, _) in VARIANTS.items():
            say(f"quickstart on {backend}, logs: {name}: turn {turn + 1} of {REPEATS}")
            seconds[name].append(_seconds_a_step(backend, settings))
    return cost_figures(seconds)


def cost_figures(seconds: Mapping[str, Sequence[float]]) -> list[Figure]:
    """Medians of the variants beside the median of the first.

    Args:
        seconds: of each variant in `VARIANTS`, one number a repeat.
    """
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return [
        Figure(f"quickstart: {name}", 100 * (medians[name] / medians["off"] - 1), "%", bound)
        for name, (_, bound) in VARIANTS.items()
        if name != "off"
    ]


def _seconds_a_step(backend: str, settings: Mapping[str, str]) -> float:
    summary = quickstart_summary(backend, settings)
    # A step's time within the calls, stretched by what went on around them.
    return float(1 / (summary["steps_per_second"] * summary["training_share"]))


def long_run(backend: str, steps: int, say: Say) -> list[Figure]:
    """Size of the event files of a real run of a small network with the default logs."""
    say(f"{steps:,} steps of a small run on {backend}")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "small.yaml"
        train = {**SMALL_RUN["train"], "evaluations_per_decade": 100, "max_steps": steps}
        config.write_text(yaml.safe_dump({**SMALL_RUN, "train": train}), encoding="utf-8")
        out = Path(folder) / "run"
        grokkeras_output(["run", str(config), "--backend", backend, "--out", str(out), "--plain"])
        size, points = event_file_content(out / "tensorboard")
    what = f"small run of {steps:,} steps"
    return [
        Figure(f"{what}: event files", size / 1e6, "MB", 3),
        Figure(f"{what}: points of its longest tag", max(points.values()), "points", 1000),
    ]


def event_file_content(folder: Path) -> tuple[int, Counter[tuple[str, str]]]:
    """Bytes of all event files beneath a folder, and points by (file's folder, tag)."""
    from grokkeras.logging.event_files import event_files, read_events

    size, points = 0, Counter[tuple[str, str]]()
    for path in event_files(folder, below=True):
        size += path.stat().st_size
        for event in read_events(path):
            for value in event.summary.value:
                points[str(path.parent.relative_to(folder)), value.tag] += 1
    return size, points


def scalar_figures(count: int, say: Say) -> list[Figure]:
    """Seconds and memory of writing scalars in a process of its own on JAX."""
    say(f"writing {count:,} scalars")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "grokkeras.bench.scalars", folder, str(count)]
        jax = os.environ | {"KERAS_BACKEND": "jax"}
        found = json.loads(command_output(command, jax).splitlines()[-1])
    what = f"{found['scalars']:,} scalars written"
    return [
        Figure(f"{what}: time", found["seconds"], "s", 2),
        Figure(f"{what}: memory", found["bytes"] / 1e6, "MB", 60),
        Figure(f"{what}: loads of TensorFlow", int(found["tensorflow"]), "", 0),
    ]
