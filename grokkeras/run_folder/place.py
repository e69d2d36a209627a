"""Where a run folder may be made, and whether a folder holds a run already."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from pathlib import Path

from grokkeras.errors import UserError

# Any of these in a folder means that a run wrote there.
_OF_A_RUN = (
    "config.yaml",
    "summary.json",
    "metrics.jsonl",
    "events.jsonl",
    "checkpoints",
    "model.keras",
    "tensorboard",
)


def make(path: Path) -> bool:
    """Makes the folder that the user named; tells whether it is new."""
    if path.exists() and not path.is_dir():
        raise UserError(f"The run folder {path} is a file. Expected a folder, or no such name yet.")
    made = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    return made


def make_next(root: Path, name: str) -> Path:
    """Makes `root`/NAME-N. `mkdir` fails on a name that exists, so no two runs get the same."""
    root.mkdir(parents=True, exist_ok=True)
    pattern = re.compile(rf"{re.escape(name)}-(\d+)")
    taken = [int(m.group(1)) for m in map(pattern.fullmatch, os.listdir(root)) if m]
    for number in itertools.count(max(taken, default=0) + 1):
        path = root / f"{name}-{number}"
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
    raise AssertionError("unreachable: the numbers do not end")


def refuse_run(path: Path) -> None:
    """Refuses a folder in which a run has written, so that none is mixed with another."""
    found = [name for name in _OF_A_RUN if (path / name).exists()]
    if found:
        raise UserError(
            f"{path} already holds a run (it has {', '.join(found)}). "
            f"Choose another --out, or go on with it: `grokkeras resume {path}`."
        )


def inner_runs(path: Path) -> str:
    """What to do instead, for a message about a folder that is no run's."""
    inner = sorted(child.parent.name for child in path.glob("*/config.yaml"))
    if not inner:
        return " Expected the folder of an earlier run."
    shown = ", ".join(inner[:5]) + (", ..." if len(inner) > 5 else "")
    return f" It contains folders of runs; name one of them: {shown}."
