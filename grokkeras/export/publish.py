"""Where versions lie, and how one appears there: whole, by a rename, or not at all.

saved_models/NAME/3/    a version; servers poll for the highest number
saved_models/.export-*/  one that is being made; servers look at neither the name nor its files
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grokkeras.errors import UserError
from grokkeras.files import disk_errors, fsync_dir

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def check_name(name: str) -> str:
    """A model's name, which is also its folder and a part of its URL.

    Raises:
        UserError: it has other characters than letters, digits, `_`, `-` and `.`.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"A model's name is made of letters, digits, '_', '-' and '.', at most 100, and starts "
            f"with neither of the last two; received {name!r}. Give one with --name."
        )
    return name


def versions(folder: Path) -> list[int]:
    """The version numbers in a model's folder, ascending; others' files are passed over."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if re.fullmatch(r"\d+", path.name))


def choose_version(folder: Path, version: int | None) -> int:
    """The number of the version to be made.

    Args:
        folder: the model's.
        version: as the user wants it; None takes the next.

    Raises:
        UserError: it is there already, or no positive number; or `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(
            f"{folder} is a file, expected a folder of versions. Choose another --name."
        )
    taken = versions(folder)
    following = taken[-1] + 1 if taken else 1
    if version is None:
        return following
    if version < 1:
        raise UserError(f"A version is a whole number, 1 or more; received {version}.")
    if version in taken:
        raise UserError(
            f"{folder / str(version)} is there already. Leave --version out to make version "
            f"{following}."
        )
    return version


@contextlib.contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """A new folder on the same file system as `out`, gone at the end.

    Raises:
        UserError: `out` cannot be made or written to.
    """
    try:
        with disk_errors("the exported model", out):
            out.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=out))
    except OSError as error:
        raise UserError(
            f"Cannot write to {out}: {error.strerror}. Choose another place with --out DIR."
        ) from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def publish(made: Path, folder: Path, version: int | None, chosen: int) -> Path:
    """Moves a complete version to where servers find it.

    Args:
        made: the version, on the same file system.
        folder: the model's; made if it is not there.
        version: the number that the user asked for, or None.
        chosen: the number that `choose_version` gave.

    Returns:
        The version's folder.

    Raises:
        UserError: meanwhile another export took that number.
    """
    with disk_errors("the exported model", folder):
        folder.mkdir(exist_ok=True)
    target = folder / str(chosen)
    made.chmod(0o755)  # servers run as other users
    try:
        os.rename(made, target)  # a folder that holds something is never replaced
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        raise UserError(
            f"Another export has just made {target}. Run the export again"
            f"{'.' if version is None else ' with another --version.'}"
        ) from error
    fsync_dir(folder)
    return target
