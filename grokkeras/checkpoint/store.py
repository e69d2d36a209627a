"""The checkpoints of one run: which are written, kept and deleted, which is the newest sound."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from grokkeras.checkpoint.directory import Checkpoint, DamagedError, load, score_of, write
from grokkeras.files import disk_errors, fsync_dir

# `replaced-` is the older one of two with the same step, while the newer takes its place.
_NAME = re.compile(r"(?:step|\.replaced)-(\d{8,})")


class CheckpointStore:
    """The checkpoints of one run.

    Args:
        directory: the run's `checkpoints/`; made by the first `save`.
        keep: how many of the newest to keep; the one with the best score is kept besides.
    """

    def __init__(self, directory: str | os.PathLike[str], keep: int = 3) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, received {keep}.")
        self.directory = Path(directory)
        self.keep = keep

    def save(
        self,
        step: int,
        arrays: Mapping[str, np.ndarray],
        best: Mapping[str, np.ndarray] | None,
        state: Mapping[str, object],
        score: Sequence[float | None],
    ) -> Path:
        """Writes one checkpoint, then deletes those that are no longer needed.

        Checkpoints of a later step are deleted too: they belong to a course of the run that
        `resume` could not use and went back behind.

        Args:
            step: number of optimizer updates, >= 0.
            arrays: weights, optimizer and generator states, by name.
            best: the weights at the best validation accuracy, or None.
            state: all else; JSON-able, NaN and infinities allowed, tuples come back as lists.
            score: how good, compared item by item, larger is better, NaN and None worst:
                (val_accuracy, -val_loss, -step) of the last evaluation.

        Returns:
            The checkpoint's directory.

        Raises:
            DiskFullError: no space; the checkpoints that were there are unharmed.
        """
        target = self.directory / f"step-{step:08d}"
        temporary = self.directory / f".tmp-{step:08d}"
        with disk_errors(f"the checkpoint of step {step}", target):
            if not self.directory.is_dir():
                self.directory.mkdir(parents=True, exist_ok=True)
                fsync_dir(self.directory.parent)
            self._remove_leftovers()
            try:
                temporary.mkdir()
                write(temporary, step, arrays, best, state, score)
                self._put_in_place(temporary, target)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            self._prune(step)
        return target

    def load_newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest sound checkpoint, and in words each newer one that was skipped, and why."""
        skipped: list[str] = []
        for path in self._newest_first():
            try:
                return load(path), skipped
            except DamagedError as reason:
                skipped.append(f"Skipped checkpoint {path.name}: {reason}.")
        return None, skipped

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, sound or not, in rising order."""
        return sorted({_step_of(path) for path in self._newest_first()})

    def _newest_first(self) -> list[Path]:
        if not self.directory.is_dir():
            return []
        found = [path for path in self.directory.iterdir() if _NAME.fullmatch(path.name)]
        # Of two with the same step the one called `step-` is the newer: "s" sorts after ".".
        return sorted(found, key=lambda path: (_step_of(path), path.name), reverse=True)

    def _put_in_place(self, temporary: Path, target: Path) -> None:
        if target.exists():
            replaced = self.directory / target.name.replace("step-", ".replaced-")
            self._discard(replaced)
            target.rename(replaced)
        temporary.rename(target)
        fsync_dir(self.directory)

    def _prune(self, saved: int) -> None:
        """Keeps the newest `keep` and the best up to the step just saved."""
        known = [
            path
            for path in self._newest_first()
            if path.name.startswith("step-") and _step_of(path) <= saved
        ]
        best = max(known, key=lambda path: (score_of(path), -_step_of(path)))
        kept = {*known[: self.keep], best}
        for path in self._newest_first():
            if path not in kept:
                self._discard(path)

    def _discard(self, path: Path) -> None:
        """Deletes a checkpoint. Renamed first, so that a kill leaves no half one under its name."""
        if not path.exists():
            return
        grave = self.directory / f".tmp-deleted-{path.name}"
        shutil.rmtree(grave, ignore_errors=True)
        path.rename(grave)
        shutil.rmtree(grave, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        for path in self.directory.glob(".tmp-*"):
            shutil.rmtree(path, ignore_errors=True)


def _step_of(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match.group(1))
