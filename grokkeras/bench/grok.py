"""`bench grok`: seconds from the start of the process to the evaluation that confirms grokking.

Imports and compilation included, since that is what somebody waits who types the command.
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

from rich.console import Console

from grokkeras.bench.whole_runs import Figure, figures_table
from grokkeras.errors import GrokkerasError
from grokkeras.logging.jsonl import read_jsonl

SEEDS = range(5)
# A configuration that comes with the program, and the seconds that its median should stay within.
BOUNDS: Mapping[str, float] = {"express": 18.0, "fastest": 8.0}
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Grokked:
    """One run of `grokkeras run` that grokked.

    Attributes:
        config: a name in `BOUNDS`.
        backend: which.
        seed: which.
        seconds: from the start of the process to the confirming evaluation.
        training_seconds: of these, after the first compiled call of many steps.
        memorization_step: the step; None if training accuracy came after validation's.
        grokking_step: the step.
    """

    config: str
    backend: str
    seed: int
    seconds: float
    training_seconds: float
    memorization_step: int | None
    grokking_step: int


def bench_grok(console: Console, backends: Sequence[str]) -> dict[str, Any]:
    """Measures every configuration on every backend, prints the table, returns the figures."""
    runs = [
        time_to_grok(config, backend, seed, console.print)
        for config in BOUNDS
        for seed in SEEDS
        for backend in backends
    ]
    figures = medians(runs)
    console.print(figures_table(figures, "From process start to grokking confirmed"))
    return {
        "runs": [asdict(run) for run in runs],
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
    }


def medians(runs: Sequence[Grokked]) -> list[Figure]:
    """The median over the seeds of each configuration and backend, beside its bound."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        seconds.setdefault((run.config, run.backend), []).append(run.seconds)
    return [
        Figure(
            f"{config}, {backend}, median of {len(values)} seeds",
            statistics.median(values),
            "s",
            BOUNDS[config],
        )
        for (config, backend), values in seconds.items()
    ]


def time_to_grok(config: str, backend: str, seed: int, say: Callable[[str], object]) -> Grokked:
    """Runs a configuration in a process of its own and watches for the event.

    Raises:
        GrokkerasError: the run failed, or ended without grokking.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "grokkeras", "run", config, "--backend", backend]
        command += ["--seed", str(seed), "--out", str(out), "--plain"]
        with tempfile.TemporaryFile() as output:
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=output, stderr=output)
            try:
                seconds = _watch(process, out / "events.jsonl", start)
            finally:
                process.kill()
            if seconds is None:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()
                raise GrokkerasError(f"{' '.join(command)} did not grok:\n{said[-2000:]}")
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    rate = summary["steps_per_second"]
    run = Grokked(
        config,
        backend,
        seed,
        round(seconds, 3),
        round(summary["steps"] / rate, 3) if rate else 0.0,
        summary["memorization_step"],
        summary["grokking_step"],
    )
    say(f"{config}, {backend}, seed {seed}: {seconds:.1f} s, grokked at {run.grokking_step:,}")
    return run


def _watch(process: subprocess.Popen[bytes], events: Path, start: float) -> float | None:
    """Seconds from `start` until the file tells of grokking; the process has ended by then."""
    seconds = None
    size = 0
    while True:
        ended = process.poll() is not None
        # Every event reaches the file as it happens.
        if seconds is None and events.is_file() and events.stat().st_size != size:
            now = time.perf_counter() - start
            size = events.stat().st_size
            if any(record["event"] == "grokking" for record in read_jsonl(events).records):
                seconds = now
        if ended:
            return seconds if process.returncode == 0 else None
        time.sleep(_POLL_SECONDS)
