"""Moments of a kill that a random one hardly meets, and checkpoints that are damaged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from torture import Outcome, Torture, being_written, checkpoints, events_of, size


def truncate(run: Path, place: int = -1) -> None:
    """Cuts a checkpoint's arrays short, of the newest by default."""
    path = run / "checkpoints" / f"step-{checkpoints(run)[place]:08d}" / "arrays.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def flip(run: Path, place: int = -1) -> None:
    """Flips one bit in the midst of a checkpoint's arrays."""
    path = run / "checkpoints" / f"step-{checkpoints(run)[place]:08d}" / "arrays.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def special_moments(torture: Torture, run: Path) -> list[Outcome]:
    """Kills at the moments that a random one hardly meets."""
    begun = run / "environment.json"
    losses = run / "step_losses.f32"
    outcomes = []

    def case(name: str, *arguments: object, **options: object) -> None:
        torture.kill_when(run, *arguments, **options)
        outcomes.append(torture.check(name, run))
        shutil.rmtree(run)

    case("during start-up", begun.exists)
    case(
        "before the first checkpoint",
        lambda: size(losses) > 0,
        lambda: not checkpoints(run) and size(losses) > 0,
    )
    case(
        "in the midst of writing the first checkpoint",
        lambda: bool(being_written(run)),
        lambda: bool(being_written(run)) and not checkpoints(run),
    )
    case(
        "in the midst of writing a later checkpoint",
        lambda: len(checkpoints(run)) >= 3 and bool(being_written(run)),
        lambda: bool(being_written(run)),
    )
    case("after the last step", lambda: torture.steps in checkpoints(run))

    torture.random_kill(run)
    before = len(events_of(run))
    torture.kill_when(run, lambda: len(events_of(run)) > before + 2, again=True)
    outcomes.append(torture.check("killed, and killed again after resuming", run))
    shutil.rmtree(run)
    return outcomes


def damaged(torture: Torture, run: Path) -> list[Outcome]:
    """Checkpoints cut short, altered, and both: an older one is used, with a notice."""
    outcomes = []
    for name, damage in {
        "newest checkpoint cut short": lambda: truncate(run),
        "newest checkpoint with a flipped bit": lambda: flip(run),
        "newest cut short, the next with a flipped bit": lambda: (truncate(run), flip(run, -2)),
    }.items():
        torture.kill_when(run, lambda: len(checkpoints(run)) >= 3)
        damage()
        outcome = torture.check(name, run)
        said = sum("Skipped checkpoint" in notice for notice in outcome.notices)
        if said != 1 + name.startswith("newest cut short, the"):
            outcome.different.append(f"{said} notices of a skipped checkpoint")
        outcomes.append(outcome)
        shutil.rmtree(run)
    return outcomes
