"""`grokkeras bench`: starts the loops, lets them take turns, prints the table, writes the JSON."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from grokkeras.bench.grok import bench_grok
from grokkeras.bench.logging_costs import bench_logging
from grokkeras.bench.pool import bench_sweep
from grokkeras.bench.process import WorkerProcess, baselines_package
from grokkeras.bench.results import as_json, ratios
from grokkeras.bench.serving import bench_serving, models_folder
from grokkeras.bench.suite import BACKENDS, WORKLOADS, Measurement, comparisons, measurements
from grokkeras.bench.table import steps_table
from grokkeras.bench.techniques import as_json as as_json_costs
from grokkeras.bench.techniques import costs, costs_table, technique_loops
from grokkeras.bench.whole_runs import bench_runs
from grokkeras.environment import environment
from grokkeras.errors import UserError
from grokkeras.registry import Registry

REPEATS = 5
SECONDS = 2.5

# A name on the command line to what measures it: prints its table, returns its JSON.
BENCHES: Registry[Callable[[Console], dict[str, Any]]] = Registry("bench")
BENCHES.register("serving")(bench_serving)


class Loop(Protocol):
    """What the harness needs of a worker."""

    def wait_ready(self) -> None:
        """Returns once it can be timed."""

    def measure(self, seconds: float) -> float:
        """Steps a second over at least that long."""

    def close(self) -> None:
        """Ends it."""


def run_benches(names: list[str], json_path: Path | None) -> None:
    """Runs benches by name, prints their tables, and writes one JSON file if asked to.

    Args:
        names: of `BENCHES`.
        json_path: gets an object: `environment`, and a key a bench.

    Raises:
        UserError: an unknown bench, no place for the file, or no baselines.
        GrokkerasError: a loop failed.
    """
    benches = {name: BENCHES.get(name) for name in names}
    if json_path is not None and not json_path.absolute().parent.is_dir():
        raise UserError(f"{json_path.absolute().parent} is no folder. Create it, or name another.")
    baselines_package()  # refused now rather than after minutes
    if "serving" in benches:
        models_folder()
    console = Console()
    _warn_if_busy(console)
    report: dict[str, Any] = {"environment": environment(", ".join(installed_backends()))}
    for name, bench in benches.items():
        report[name] = bench(console)
        if json_path is not None:  # after each: a later one may fail
            json_path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if json_path is not None:
        console.print(f"Written to {json_path}.")


def installed_backends() -> list[str]:
    """The backends that can be imported; none is."""
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]


@BENCHES.register("steps")
def bench_steps(console: Console) -> dict[str, Any]:
    """Optimizer steps a second of W1, W2 and W3 beside their baselines."""
    found = installed_backends()
    skipped = [name for name in BACKENDS if name not in found]
    for name in skipped:
        console.print(f"Skipped: {name} is not installed (pip install 'grokkeras\\[{name}]').")
    rows = comparisons(found)
    rates: dict[Measurement, list[float]] = {}
    for workload in WORKLOADS:
        loops = [loop for loop in measurements(rows) if loop.workload == workload]
        rates |= take_turns(loops, WorkerProcess, REPEATS, SECONDS, console.print)
    measured = ratios(rows, rates)
    console.print(steps_table(measured, REPEATS))
    if "jax" in skipped and "tensorflow" in found:
        console.print("Without jax there is no hand-written JAX loop to hold TensorFlow against.")
    settings = {"repeats": REPEATS, "seconds": SECONDS, "skipped_backends": skipped}
    return settings | as_json(measured, rates)


@BENCHES.register("techniques")
def bench_techniques(console: Console) -> dict[str, Any]:
    """Seconds a step with each technique over those of plain AdamW, on W1 and W3."""
    rates: dict[Measurement, list[float]] = {}
    for workload in ("W1", "W3"):
        for backend in installed_backends():
            loops = technique_loops(workload, backend)
            rates |= take_turns(loops, WorkerProcess, REPEATS, SECONDS, console.print)
    rows = costs(rates)
    console.print(costs_table(rows, REPEATS))
    return {"repeats": REPEATS, "seconds": SECONDS, "costs": as_json_costs(rows)}


@BENCHES.register("runs")
def measure_runs(console: Console) -> dict[str, Any]:
    """Answer times, the quickstart's share of time in steps, memory over a long run."""
    return bench_runs(console, installed_backends())


@BENCHES.register("grok")
def measure_grok(console: Console) -> dict[str, Any]:
    """Seconds from the start of the process until grokking is confirmed."""
    return bench_grok(console, installed_backends())


@BENCHES.register("logging")
def measure_logging(console: Console) -> dict[str, Any]:
    """What measures and logs cost a run, what they leave, and how fast the tab is."""
    return bench_logging(console, installed_backends())


@BENCHES.register("sweep")
def measure_sweep(console: Console) -> dict[str, Any]:
    """The pool beside one run after another; on JAX, where it is installed."""
    found = installed_backends()
    return bench_sweep(console, "jax" if "jax" in found else found[0])


def take_turns(
    loops: Sequence[Measurement],
    start: Callable[[Measurement], Loop],
    repeats: int,
    seconds: float,
    say: Callable[[str], object],
) -> dict[Measurement, list[float]]:
    """Steps a second of each loop, `repeats` times, in the order A B C A B C.

    Args:
        loops: what to measure; all are started first, one after the other, and idle between turns.
        start: starts one.
        repeats: turns each.
        seconds: length of a turn.
        say: prints one line of progress.
    """
    rates: dict[Measurement, list[float]] = {loop: [] for loop in loops}
    with _started(loops, start, say) as workers:
        for turn in range(repeats):
            say(f"{loops[0].workload if loops else ''}: turn {turn + 1} of {repeats}")
            for loop, worker in workers.items():
                rates[loop].append(worker.measure(seconds))
    return rates


@contextlib.contextmanager
def _started(
    loops: Sequence[Measurement],
    start: Callable[[Measurement], Loop],
    say: Callable[[str], object],
) -> Iterator[dict[Measurement, Loop]]:
    with contextlib.ExitStack() as stack:
        workers = {}
        for loop in loops:
            say(f"starting {loop.label}")
            worker = start(loop)
            stack.callback(worker.close)
            worker.wait_ready()
            workers[loop] = worker
        yield workers


def _warn_if_busy(console: Console) -> None:
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # not on Windows
    if load > 0.3 * cores:
        console.print(
            f"[yellow]The machine is busy (load {load:.1f} on {cores} cores): figures and even "
            f"ratios will be off. Best stop other work first.[/]"
        )
