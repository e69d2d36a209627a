"""`bench sweep`: a pool of one-core processes beside one run after another with all cores."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from grokkeras.bench.whole_runs import Figure, figures_table, grokkeras_output
from grokkeras.bench.workloads import config_of, find_workload
from grokkeras.config import dump_config, load_config
from grokkeras.errors import GrokkerasError
from grokkeras.sweep import Job, Outcome, ProcessEngine, plan_sweep

RUNS, WORKERS = 4, 2
# Long enough that a run is more than its imports, and the whole bench takes minutes.
STEPS = {"W1": 400, "W3": 10_000}
TARGET = 1.2

# Runs of a second, and one that fails: its learning rate is beyond all reason.
_SMALL = {
    "task.modulus": 7,
    "model.width": 16,
    "model.mlp_width": 16,
    "train.max_steps": 200,
    "log.tensorboard": "false",
}
_GRID = "optimizer.learning_rate=0.001,1e30"
_PATIENCE_SECONDS = 600.0


def bench_sweep(console: Console, backend: str) -> dict[str, Any]:
    """Measures all figures, prints them, returns them for the JSON file."""
    figures = []
    for name in STEPS:
        figures += throughput(name, backend, console.print)
    figures += restart(backend, console.print)
    console.print(figures_table(figures, f"A pool of {WORKERS} one-core processes, {backend}"))
    found = [asdict(figure) | {"met": figure.met} for figure in figures]
    return {"backend": backend, "runs": RUNS, "workers": WORKERS, "steps": STEPS, "figures": found}


def throughput(name: str, backend: str, say: Callable[[str], object]) -> list[Figure]:
    """Runs an hour of the pool over those of one run after another with all cores.

    Imports and compilation are part of a run. The second figure leaves them out: optimizer steps a
    second of all runs at work together.

    Args:
        name: of the workload.
        backend: which.
        say: prints one line of progress.
    """
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(name, backend, Path(folder))
        say(f"{name}: {RUNS} runs one after another, all cores")
        alone, alone_rate = _one_after_another(jobs, Path(folder) / "alone")
        say(f"{name}: {RUNS} runs, {WORKERS} one-core processes")
        pooled, pooled_rate = _pooled(jobs)
    return [
        Figure(f"{name}: whole runs, pool over one by one", alone / pooled, "x", TARGET, True),
        Figure(f"{name}: optimizer steps only", pooled_rate / alone_rate, "x", 1.0, True),
    ]


def _jobs(name: str, backend: str, folder: Path) -> list[Job]:
    workload = find_workload(name)
    settings = {
        "train.max_steps": STEPS[name],
        "train.checkpoint_every": None,
        "log.tensorboard": False,
    }
    config = load_config(config_of(workload, backend), settings)
    file = folder / f"{name}.yaml"
    file.write_text(dump_config(config), encoding="utf-8")
    return plan_sweep(file, range(RUNS), out=folder / "pool")


def _one_after_another(jobs: Sequence[Job], folder: Path) -> tuple[float, float]:
    """Seconds in all, and steps a second while training."""
    folder.mkdir()
    start = time.perf_counter()
    rates = []
    for place, job in enumerate(jobs):
        file, out = folder / f"{place}.yaml", folder / f"run-{place}"
        file.write_text(dump_config(job.config), encoding="utf-8")
        grokkeras_output(["run", str(file), "--out", str(out), "--plain"])
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        rates.append(summary["steps_per_second"])
    return time.perf_counter() - start, sum(rates) / len(rates)


def _pooled(jobs: Sequence[Job]) -> tuple[float, float]:
    outcomes: list[Outcome] = []
    start = time.perf_counter()
    ProcessEngine(WORKERS).run(jobs, outcomes.append)
    seconds = time.perf_counter() - start
    failed = [outcome for outcome in outcomes if outcome.status != "finished"]
    if failed or len(outcomes) < len(jobs):
        raise GrokkerasError(f"A run of the pool failed: {failed[0].error if failed else ''}")
    rates: list[Any] = [outcome.summary["steps_per_second"] for outcome in outcomes]
    return seconds, WORKERS * sum(rates) / len(rates)


def restart(backend: str, say: Callable[[str], object]) -> list[Figure]:
    """A sweep in which half of the runs fail is killed after its first one, and started again."""
    say("a sweep with failing runs, killed and started again")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "grokkeras", "sweep", "quickstart", "--seeds", "0:3"]
        command += ["--grid", _GRID, "--backend", backend, "--out", name]
        command += [part for key, value in _SMALL.items() for part in ("--set", f"{key}={value}")]
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(lambda: bool(_ended(folder)))
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
        before = _ended(folder)
        subprocess.run(command, capture_output=True, check=False)
        after = _ended(folder)
    again = sum(after.get(path) != written for path, written in before.items())
    sound = [path for path, (status, _) in after.items() if status == "finished"]
    return [
        Figure("ended before SIGKILL, done again", again, "runs", 0),
        Figure("left undone by the second start", 6 - len(after), "runs", 0),
        Figure("sound runs hurt by failing ones", 3 - len(sound), "runs", 0),
    ]


def _ended(folder: Path) -> dict[Path, tuple[str, int]]:
    """Status of each run that has ended, and when it wrote its summary, by path."""
    found = {}
    for path in folder.glob("*/seed-*/summary.json"):
        try:
            status = json.loads(path.read_text(encoding="utf-8")).get("status")
        except (OSError, ValueError):  # being replaced just now
            continue
        if status in ("finished", "failed"):
            found[path] = (status, path.stat().st_mtime_ns)
    return found


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise GrokkerasError(f"No run of the sweep ended within {_PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.1)
