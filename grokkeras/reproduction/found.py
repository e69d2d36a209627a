"""What has come of all arms: told by the run folders, and by the record kept beside the page.

The record outlives the folders, which may be on another machine or thrown away: a page that is
written anew keeps its rows and curves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grokkeras.config import digest
from grokkeras.errors import UserError
from grokkeras.files import disk_errors, write_atomic
from grokkeras.reproduction.cases import Arm, all_arms
from grokkeras.run_folder import read_run
from grokkeras.strict_json import number
from grokkeras.sweep import Job, find_outcome

# Points of a curve: enough for a picture a third of a page wide.
_POINTS = 100

Curve = Sequence[tuple[float, float | None, float | None]]


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    Attributes:
        seed: its seed.
        config: a digest of its configuration.
        memorization_step: None where it never came.
        grokking_step: likewise.
        seconds: what it took.
        curve: (step, train accuracy, validation accuracy) at some of its evaluations.
        error: why it failed; None where it did not.
    """

    seed: int
    config: str
    memorization_step: float | None = None
    grokking_step: float | None = None
    seconds: float = 0.0
    curve: Curve = ()
    error: str | None = None


Found = dict[str, list[Ended]]


def find_all(root: Path, backend: str | None) -> tuple[Found, list[str]]:
    """The ended runs of every arm, of every seed that has a folder.

    Args:
        root: the folder of all arms.
        backend: of the runs; None: the environment's, or TensorFlow.

    Returns:
        Ended runs by arm, in the order of the seeds; and what was left out, such as runs of
        another configuration or backend, in words.
    """
    found: Found = {}
    left_out: list[str] = []
    for arm in all_arms():
        names = [
            re.fullmatch(r"seed-(\d+)", each.name) for each in (root / arm.name).glob("seed-*")
        ]
        seeds = sorted(int(match[1]) for match in names if match)
        found[arm.name] = []
        for job in arm.jobs(seeds, root, backend) if seeds else []:
            try:
                ended = _ended(job)
            except UserError as error:
                left_out.append(f"Left out: {error}")
            else:
                found[arm.name] += [ended] if ended else []
    return found, left_out


def with_record(path: Path, found: Mapping[str, Sequence[Ended]], backend: str | None) -> Found:
    """Adds what an earlier call has written down of runs whose folders are not here, and writes.

    Args:
        path: the record, JSON with a line a run. One that is not there is made.
        found: what `find_all` gave; it goes before the record.
        backend: as for `find_all`.

    Returns:
        As `find_all`. Runs of the record whose configuration or backend is not the arm's are left
        out, and kept in the record.

    Raises:
        UserError: the file is no such record.
    """
    record = {(name, run.seed, run.config): run for name, run in read_record(path)}
    record |= {(name, run.seed, run.config): run for name in found for run in found[name]}
    lines = [
        json.dumps({"arm": key[0], **asdict(record[key])}, separators=(",", ":"))
        for key in sorted(record)
    ]
    with disk_errors("the record", path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode(), "the record")
    return {
        arm.name: [
            run
            for key, run in sorted(record.items())
            if key[0] == arm.name and run.config == _digest_of(arm, run.seed, backend)
        ]
        for arm in all_arms()
    }


def read_record(path: Path) -> list[tuple[str, Ended]]:
    """The runs of a record with the names of their arms; none where there is no file.

    Raises:
        UserError: the file is no such record.
    """
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        curves = [[tuple(point) for point in values.pop("curve")] for values in lines]
        return [
            (values.pop("arm"), Ended(**values, curve=curve))
            for values, curve in zip(lines, curves, strict=True)
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} is no record of `grokkeras reproduce`: {error}. Take it away to begin a new "
            "one, or choose another --page."
        ) from None


def _ended(job: Job) -> Ended | None:
    outcome = find_outcome(job)
    seed, config = job.config.seed, digest(job.config)
    if outcome.status == "failed":
        return Ended(seed, config, error=outcome.error or "no message")
    if outcome.status != "finished":
        return None
    return Ended(
        seed,
        config,
        memorization_step=number(outcome.summary.get("memorization_step")),
        grokking_step=number(outcome.summary.get("grokking_step")),
        seconds=round(number(outcome.summary.get("wall_seconds")) or 0.0, 1),
        curve=_curve(read_run(job.folder).metrics),
    )


def _curve(metrics: Sequence[Mapping[str, Any]]) -> Curve:
    every = max(1, -(-len(metrics) // _POINTS))
    chosen = [*metrics[:-1:every], *metrics[-1:]]
    return [
        (step, _short(each.get("train_accuracy")), _short(each.get("val_accuracy")))
        for each in chosen
        if (step := number(each.get("step"))) is not None
    ]


def _short(value: object) -> float | None:
    known = number(value)
    return None if known is None else round(known, 4)


def _digest_of(arm: Arm, seed: int, backend: str | None) -> str:
    (job,) = arm.jobs([seed], Path(), backend)
    return digest(job.config)
