"""One process at a time trains in a run folder.

The lock is `flock`'s: the kernel lets go of it when the process ends, however it ends, so a run
that was killed needs no cleaning up.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from grokkeras.errors import UserError


class FolderLock:
    """An exclusive lock on a folder, held by `.lock` inside it until `release`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes the lock; holding it already is fine.

        Raises:
            UserError: another process (or another object of this one) holds it.
        """
        if self._descriptor is not None:
            return
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        if not _try_lock(descriptor):
            holder = os.read(descriptor, 64).decode(errors="replace").strip()
            os.close(descriptor)
            raise UserError(
                f"{self._folder} is in use by another grokkeras (process {holder or 'unknown'}). "
                f"Wait until it has ended, stop it with Ctrl-C, or choose another folder."
            )
        self._descriptor = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError:
            pass  # the number only makes the message above clearer

    def release(self) -> None:
        """Lets go of the lock; without it, does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems know no locks; better to run there unguarded than not at all.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True
