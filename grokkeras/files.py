"""Files that survive a crash: whole or absent, and on the disk before anyone relies on them.

A rename on one file system is atomic, but only what was fsynced before it is certain to be
there after a power cut, and the rename itself only once the directory is fsynced.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from grokkeras.errors import GrokkerasError

_NO_SPACE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the limit on file size (ulimit -f) is reached",
}


class DiskFullError(GrokkerasError):
    """Nothing more can be written; what was written before is unharmed."""


@contextlib.contextmanager
def disk_errors(what: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an OSError that means "no space" into a `DiskFullError`; others pass unchanged.

    Args:
        what: what is being written, as in "the checkpoint of step 500".
        path: where; the message names it and the space left there.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise DiskFullError(_disk_full_message(what, Path(path), error.errno)) from error


def _disk_full_message(what: str, path: Path, code: int) -> str:
    existing = next(parent for parent in (*path.parents, Path("/")) if parent.exists())
    free = f"{shutil.disk_usage(existing).free:,} bytes are free there"
    message = f"Could not write {what} ({path}): {_NO_SPACE[code]}; {free}."
    run = next((parent for parent in path.parents if (parent / "config.yaml").is_file()), None)
    if run is None:
        return f"{message} Make space, then try again."
    if any(run.glob("checkpoints/step-*")):
        message += " Earlier checkpoints are unharmed."
    return f"{message} Make space, then `grokkeras resume {run}` goes on."


def fsync_dir(path: str | os.PathLike[str]) -> None:
    """Makes the entries of a directory (names created, renamed, removed) durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: str | os.PathLike[str], *parts: bytes | memoryview) -> None:
    """Writes `parts` one after the other to a new file and fsyncs it; the name is not synced."""
    with open(path, "wb", buffering=0) as file:
        for part in parts:
            write_all(file.fileno(), part)
        os.fsync(file.fileno())


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """`os.write` until all of `data` is out: on a nearly full disk it writes only a part."""
    view = memoryview(data).cast("B") if len(data) else memoryview(b"")
    while view:
        view = view[os.write(descriptor, view) :]


def write_atomic(path: str | os.PathLike[str], data: bytes, what: str | None = None) -> None:
    """Replaces `path` by `data`: readers and crashes see the old file or the new one, whole.

    Args:
        path: the file; its directory exists.
        data: its whole new content.
        what: what it is, for the message when the disk is full; the file's name if None.

    Raises:
        DiskFullError: no space; `path` is as it was.
        OSError: anything else the system refused.
    """
    path = Path(path)
    with disk_errors(what or path.name, path):
        # Not named after `path`: TensorBoard would read any file with "tfevents" in its name.
        temporary = path.with_name(f".tmp-{secrets.token_hex(6)}")
        try:
            write_synced(temporary, data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        fsync_dir(path.parent)
