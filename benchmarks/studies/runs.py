"""Runs settings over seeds on a pool of one-core processes, and reads what became of them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.studies.record import Record, Run
from grokkeras.config import load_config
from grokkeras.config.overrides import apply_overrides
from grokkeras.sweep import Job, Outcome, ProcessEngine, find_outcome
from grokkeras.sweep.tally import median_step

FOLDER = Path("runs") / "studies"

# What every study's runs have in common: they stop once grokking is confirmed and log little.
LEAN: dict[str, Any] = {
    "backend": "jax",
    "train.stop_after_grokking": 0,
    "train.checkpoint_every": None,
    "log.tensorboard": False,
    "log.measures": [],
}


def run_all(
    study: str,
    settings: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    workers: int | None = None,
    say: Callable[[str], object] = print,
    judge: Callable[[Path], int | None] | None = None,
    folders: bool = False,
) -> dict[str, list[Run]]:
    """Does what is missing of every setting and seed, and keeps what became of it in the record.

    A run is not missing if its folder says that it has ended, or else the study's `Record`. One
    whose loss or weights became NaN has ended; one that failed for another reason is missing.

    Args:
        study: names the folder under `FOLDER`, and the record.
        settings: a whole configuration by its name; its own values go before `LEAN`.
        seeds: one run a setting each, all settings of the first seed first.
        workers: processes at a time; 0 runs nothing and reads what has ended. None: 1, or 0 where
            the command line says `--table`.
        say: told of each run as it ends.
        judge: reads the grokking step from a finished run's folder, where it is not the summary's;
            such a run has no seconds.
        folders: whether the folders are wanted too, so that a run without one is done anew.

    Returns:
        The ended runs of every setting, in the order of the seeds; all of them unless `workers`
        is 0.

    Raises:
        SystemExit: Ctrl-C or SIGTERM came, and the runs have stopped with a checkpoint, or some
            failed. Started again, the study goes on.
    """
    record = Record(study)
    jobs = [_job(study, name, config, seed) for seed in seeds for name, config in settings.items()]
    ended: dict[Path, Run] = {}

    def look(job: Job) -> Run | None:
        run = _read(job, judge)
        if run is not None:
            record.keep(job, run)
        elif not folders:
            run = record.find(job)
        if run is not None:
            ended[job.folder] = run
        return run

    missing = [job for job in jobs if look(job) is None]

    def tell(outcome: Outcome) -> None:
        run = look(outcome.job)
        what = outcome.error or "did not grok"
        if run and run.grokked:
            what = f"grokked at {run.grokked:,}"
        say(f"{len(ended)}/{len(jobs)} {outcome.job.label}: {outcome.status}, {what}")

    if workers is None:
        workers = 0 if "--table" in sys.argv[1:] else 1
    if workers and missing and not ProcessEngine(workers).run(missing, tell):
        raise SystemExit(130)
    if workers and len(ended) < len(jobs):
        raise SystemExit(f"{len(jobs) - len(ended)} runs failed. Started again, it goes on.")
    found: dict[str, list[Run]] = {name: [] for name in settings}
    for job in jobs:
        if job.folder in ended:
            found[job.setting].append(ended[job.folder])
    return found


def summarize(runs: Sequence[Run]) -> dict[str, Any]:
    """Seeds, how many grokked, and the medians of steps and seconds.

    A seed that did not grok counts as later than all others: where half of them or more failed,
    there is no median, and it is None.
    """
    grokked = [run for run in runs if run.grokked is not None]
    return {
        "seeds": len(runs),
        "grokked": len(grokked),
        "steps": _median([run.grokked for run in runs]),
        "seconds": _median([run.seconds for run in runs]),
        "memorized": _median([run.memorized for run in runs]),
    }


def tune(study: str, grid: Mapping[str, Mapping[str, Any]], seeds: Iterable[int]) -> str:
    """The best setting of a grid; runs what is missing."""
    return best_of(run_all(study, grid, seeds))


def best_of(found: Mapping[str, Sequence[Run]]) -> str:
    """The setting at which most seeds grok, of several the one that does so first."""
    rows = {name: summarize(runs) for name, runs in found.items()}
    return min(rows, key=lambda name: (-rows[name]["grokked"], rows[name]["steps"] or math.inf))


def folder_of(study: str, name: str, seed: int) -> Path:
    """Where the run of a setting and seed is."""
    return FOLDER / study / name.replace(" ", "_") / f"seed-{seed}"


def _median(values: Sequence[float | None]) -> Any:
    middle = median_step(values)
    if middle is None:
        return None
    return round(middle, 2) if middle % 1 else int(middle)


def _job(study: str, name: str, config: Mapping[str, Any], seed: int) -> Job:
    lean = {key: value for key, value in LEAN.items() if not _has(config, key)}
    data, faults = apply_overrides(config, {**lean, "seed": seed})
    assert not faults, faults
    return Job(folder_of(study, name, seed), load_config(data), name)


def _has(config: Mapping[str, Any], dotted: str) -> bool:
    section, _, key = dotted.partition(".")
    inner = config.get(section)
    return section in config if not key else isinstance(inner, Mapping) and key in inner


def _read(job: Job, judge: Callable[[Path], int | None] | None) -> Run | None:
    outcome = find_outcome(job)
    seed = job.config.seed
    if outcome.status == "failed" and _diverged(job.folder):
        return Run(None, None, None, error=outcome.error, seed=seed)
    if outcome.status != "finished":
        return None
    memorized, grokked, steps = (
        outcome.summary[key] for key in ("memorization_step", "grokking_step", "steps")
    )
    seconds = None
    if judge is not None:
        grokked = judge(job.folder)
    elif grokked is not None:
        seconds = _confirmed_seconds(job.folder)
    return Run(memorized, grokked, seconds, steps, seed=seed)  # type: ignore[arg-type]


def _diverged(folder: Path) -> bool:
    """Whether a run failed by itself, not by a full disk or a kill."""
    path = folder / "events.jsonl"
    return path.is_file() and any(event["event"] == "non_finite" for event in records(path))


def _confirmed_seconds(folder: Path) -> float:
    events = records(folder / "events.jsonl")
    confirmed = next(e["detail"]["confirmed_step"] for e in events if e["event"] == "grokking")
    rows = records(folder / "metrics.jsonl")
    return round(float(next(row["seconds"] for row in rows if row["step"] >= confirmed)), 2)


def records(path: Path) -> list[dict[str, Any]]:
    """The objects of a file in JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
