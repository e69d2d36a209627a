"""Does the jobs whose folders say that they are missing, and no others.

A sweep keeps no list of its own: killed and started again, it reads the folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from grokkeras.errors import UserError
from grokkeras.files import disk_errors
from grokkeras.run_folder.lock import FolderLock
from grokkeras.sweep.engines import Engine
from grokkeras.sweep.jobs import Job, Outcome, find_outcome


class Progress(Protocol):
    """Whoever wants to know how far a sweep is."""

    def begin(self, found: Sequence[Outcome], to_do: Sequence[Job]) -> None:
        """Told once, before anything runs: what was there already, and what is to be done."""

    def started(self, job: Job) -> None:
        """A run begins, or is gone on with."""

    def ended(self, outcome: Outcome) -> None:
        """A run has ended, one way or another."""

    def end(self) -> None:
        """Nothing more comes, even after an error."""


def carry_out(
    jobs: Sequence[Job], root: Path, engine: Engine, progress: Progress, retry: bool = False
) -> tuple[list[Outcome], bool]:
    """Does what is missing.

    Args:
        jobs: all of the sweep, each folder somewhere below `root`.
        root: the sweep's folder; one sweep at a time works in it.
        engine: what does them.
        progress: is told of each.
        retry: whether to go on with failed runs too.

    Returns:
        What became of each job, in order, and whether the sweep was left to end by itself.

    Raises:
        UserError: the folder is in use by another sweep, holds runs of other configurations, or
            cannot be made.
    """
    lock = _lock(root)
    try:
        outcomes = {job.folder: find_outcome(job) for job in jobs}
        again = ("missing", "interrupted", *(("failed",) if retry else ()))
        to_do = [job for job in jobs if outcomes[job.folder].status in again]
        chosen = {job.folder for job in to_do}
        found = [outcome for folder, outcome in outcomes.items() if folder not in chosen]

        def tell(outcome: Outcome) -> None:
            outcomes[outcome.job.folder] = outcome
            progress.ended(outcome)

        progress.begin(found, to_do)
        try:
            complete = engine.run(to_do, tell, progress.started) if to_do else True
        finally:
            progress.end()
        return list(outcomes.values()), complete
    finally:
        lock.release()


def _lock(root: Path) -> FolderLock:
    try:
        with disk_errors("the sweep's folder", root):
            root.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(root)
        lock.acquire()
    except OSError as error:
        raise UserError(
            f"Cannot write into {root}: {error.strerror}. Choose another place with --out DIR."
        ) from error
    return lock
