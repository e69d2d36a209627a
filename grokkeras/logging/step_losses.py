"""The training loss of every single step, as raw little-endian float32: 4 bytes a step.

The loss of step s (the s-th update, counted from 1) lies at byte 4 * (s - 1), so a million
steps are 4 MB and `numpy.memmap` reads them without a parser.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from grokkeras.files import disk_errors, write_all

_FLOAT = np.dtype("<f4")


class StepLossFile:
    """Appends a chunk's losses to a file.

    Args:
        path: the file; made if absent.
        first_step: steps taken before the next chunk; the file is brought to this length, so
            that every loss lies at its own step.
    """

    def __init__(self, path: str | os.PathLike[str], first_step: int = 0) -> None:
        self.path = Path(path)
        cut_step_losses(path, first_step)
        with disk_errors(self.path.name, self.path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(self, losses: np.ndarray) -> None:
        """Writes the losses of the next steps, shape (steps,), in order.

        Raises:
            DiskFullError: no space.
        """
        data = np.ascontiguousarray(losses, _FLOAT).reshape(-1)
        with disk_errors(self.path.name, self.path):
            write_all(self._descriptor, data.tobytes())

    @property
    def steps(self) -> int:
        """Number of steps written."""
        return os.fstat(self._descriptor).st_size // _FLOAT.itemsize

    def sync(self) -> None:
        """Makes what was written durable."""
        with disk_errors(self.path.name, self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_step_losses(path: str | os.PathLike[str]) -> np.ndarray:
    """The losses, float32 of shape (steps,); a torn last value is left out, no file is empty."""
    path = Path(path)
    data = path.read_bytes() if path.is_file() else b""
    whole = len(data) - len(data) % _FLOAT.itemsize
    return np.frombuffer(data[:whole], _FLOAT).astype(np.float32)


def cut_step_losses(path: str | os.PathLike[str], steps: int) -> int:
    """Makes the file exactly `steps` losses long.

    Returns:
        How many of the steps had been lost; they are filled with NaN.
    """
    path = Path(path)
    size = path.stat().st_size if path.exists() else 0
    known = min(size // _FLOAT.itemsize, steps)
    if size == 0 and steps == 0:
        return 0
    with disk_errors(path.name, path), open(path, "r+b" if path.exists() else "w+b") as file:
        file.truncate(known * _FLOAT.itemsize)
        file.seek(0, os.SEEK_END)
        file.write(np.full(steps - known, np.nan, _FLOAT).tobytes())
        file.flush()
        os.fsync(file.fileno())
    return steps - known
