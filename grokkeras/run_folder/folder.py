"""`RunFolder`: creates or opens a run folder, and knows where everything in it lies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from grokkeras.config import RunConfig, dump_config, load_config
from grokkeras.environment import environment
from grokkeras.errors import UserError
from grokkeras.files import disk_errors, write_atomic
from grokkeras.run_folder import cut, place, summary
from grokkeras.run_folder.lock import FolderLock
from grokkeras.strict_json import dumps

if TYPE_CHECKING:
    from grokkeras.checkpoint import CheckpointStore

_CONFIG = "config.yaml"
_SUMMARY = "summary.json"


class RunFolder:
    """One run's folder. Made by `create` or `open`, not directly."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path
        self.config = config
        self._lock = FolderLock(path)

    @classmethod
    def create(
        cls,
        out: str | os.PathLike[str] | None,
        config: RunConfig,
        root: str | os.PathLike[str] = "runs",
    ) -> RunFolder:
        """Makes a run folder with `config.yaml` and `summary.json` (running), and locks it.

        Args:
            out: the folder itself, new or without a run in it; None takes `root`/NAME-N.
            config: the resolved configuration.
            root: where folders without a name of their own go; N is one above the highest there.

        Raises:
            UserError: `out` holds a run, is a file, or cannot be written to.
            DiskFullError: no space; nothing is left behind.
        """
        path = Path(root) / config.name if out is None else Path(out)
        try:
            with disk_errors("the run folder", path):
                if out is None:
                    path, made = place.make_next(Path(root), config.name), True
                else:
                    made = place.make(path)
                return cls._fill(path, config, made)
        except OSError as error:
            raise UserError(
                f"Cannot write the run folder {path}: {error.strerror}. "
                f"Choose another place with --out DIR."
            ) from error

    @classmethod
    def _fill(cls, path: Path, config: RunConfig, made: bool) -> RunFolder:
        folder = cls(path, config)
        folder._lock.acquire()
        try:
            place.refuse_run(path)  # after locking: of two that start at once, one sees the other
            try:
                # The configuration last: a folder that has one is whole, and can be resumed.
                folder.write_summary(_initial(config))
                folder.write_config(config)
            except BaseException:
                for name in (_CONFIG, _SUMMARY):
                    (path / name).unlink(missing_ok=True)
                raise
        except BaseException:
            if made:
                (path / ".lock").unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    path.rmdir()
            folder.unlock()
            raise
        return folder

    @classmethod
    def open(cls, path: str | os.PathLike[str], require_backend: bool = True) -> RunFolder:
        """Opens the folder of an earlier run; does not lock it.

        Args:
            path: the folder.
            require_backend: refuse a run whose backend is not installed here; False to only
                look at it.

        Raises:
            UserError: no such folder, no run in it, or its `config.yaml` or `summary.json` is
                missing or invalid.
        """
        path = Path(path)
        if not path.exists():
            raise UserError(f"There is no folder {path}. Expected the folder of an earlier run.")
        if not path.is_dir():
            raise UserError(f"{path} is a file. Expected the folder of an earlier run.")
        if not (path / _CONFIG).is_file():
            raise UserError(f"{path} holds no run: it has no config.yaml.{place.inner_runs(path)}")
        folder = cls(path, load_config(path / _CONFIG, require_backend=require_backend))
        folder.read_summary()
        return folder

    @property
    def config_path(self) -> Path:
        """The resolved configuration."""
        return self.path / _CONFIG

    @property
    def summary_path(self) -> Path:
        """How the run stands or ended."""
        return self.path / _SUMMARY

    @property
    def metrics_path(self) -> Path:
        """One line an evaluation."""
        return self.path / "metrics.jsonl"

    @property
    def events_path(self) -> Path:
        """One line an event."""
        return self.path / "events.jsonl"

    @property
    def step_losses_path(self) -> Path:
        """The loss of every step; see `grokkeras.logging.step_losses`."""
        return self.path / "step_losses.f32"

    @property
    def environment_path(self) -> Path:
        """Versions, processor, commit."""
        return self.path / "environment.json"

    @property
    def tensorboard_dir(self) -> Path:
        """The event files."""
        return self.path / "tensorboard"

    @property
    def checkpoints_dir(self) -> Path:
        """The checkpoints."""
        return self.path / "checkpoints"

    @property
    def model_path(self) -> Path:
        """The model at its best validation accuracy."""
        return self.path / "model.keras"

    def checkpoints(self) -> CheckpointStore:
        """The store of this run's checkpoints."""
        from grokkeras.checkpoint import CheckpointStore  # NumPy: not before it is needed

        return CheckpointStore(self.checkpoints_dir)

    def lock(self) -> None:
        """Keeps other processes from training here, until `unlock` or the end of this process.

        Raises:
            UserError: another process trains here.
        """
        self._lock.acquire()

    def unlock(self) -> None:
        """Lets go of the lock; without it, does nothing."""
        self._lock.release()

    def write_config(self, config: RunConfig) -> None:
        """Replaces `config.yaml`, as `resume` does where it may change a setting."""
        write_atomic(self.config_path, dump_config(config).encode())
        self.config = config

    def write_summary(self, values: Mapping[str, object]) -> None:
        """Replaces `summary.json`; keys of the contract that `values` lacks become null."""
        text = dumps(summary.complete(values), indent=2) + "\n"
        write_atomic(self.summary_path, text.encode())

    def read_summary(self) -> dict[str, object]:
        """`summary.json` as a dict.

        Raises:
            UserError: it is missing or invalid.
        """
        return summary.read(self.summary_path)

    def write_environment(self) -> None:
        """Writes `environment.json` for the configuration's backend."""
        text = dumps(environment(self.config.backend), indent=2) + "\n"
        write_atomic(self.environment_path, text.encode())

    def cut_to_checkpoint(self, step: int, offsets: Mapping[str, int] | None = None) -> list[str]:
        """Takes all logs back to a checkpoint.

        Args:
            step: the checkpoint's step; 0 empties the logs.
            offsets: `JsonlLog.offsets()` as the checkpoint stored it; without it, or where a
                file does not fit it, lines are cut by their step.

        Returns:
            In words, for the user, what was not as expected.
        """
        return cut.cut_logs(
            step,
            offsets,
            (self.metrics_path, self.events_path),
            self.step_losses_path,
            self.tensorboard_dir,
        )


def _initial(config: RunConfig) -> dict[str, object]:
    return {
        "status": "running",
        "steps": 0,
        "backend": config.backend,
        "seed": config.seed,
        "task": config.task.name,
        "model": config.model.name,
        "optimizer": config.optimizer.name,
    }
