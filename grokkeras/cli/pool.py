"""What `sweep` and `reproduce` share: runs on an engine, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grokkeras.errors import GrokkerasError
from grokkeras.sweep import ENGINES, Job, Outcome, carry_out
from grokkeras.sweep.one_core import usable_cores
from grokkeras.sweep.progress import SweepProgress

if TYPE_CHECKING:
    from rich.console import Console


class SweepStoppedError(GrokkerasError):
    """Ctrl-C or SIGTERM, after every run had stopped with a checkpoint."""

    exit_code = 130


def run_jobs(
    jobs: Sequence[Job],
    root: Path,
    engine: str,
    workers: int | None,
    retry: bool,
    plain: bool,
) -> tuple[Console, list[Outcome], bool]:
    """Does what is missing of the jobs, as `carry_out`; None workers: one a core."""
    progress = SweepProgress(plain)
    made = ENGINES.get(engine)(workers or len(usable_cores()))
    outcomes, complete = carry_out(jobs, root, made, progress, retry)
    return progress.console, outcomes, complete


def finish(console: Console, outcomes: Sequence[Outcome], complete: bool, then: str) -> None:
    """Ends the command: says what comes next, or raises what its exit code stands for."""
    if not complete:
        left = sum(outcome.status in ("missing", "interrupted") for outcome in outcomes)
        raise SweepStoppedError(
            f"Stopped; {left} of {len(outcomes)} runs are left. The same command goes on."
        )
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    if failed:
        raise GrokkerasError(
            f"{failed} of {len(outcomes)} runs failed; the others are unharmed. --retry goes on "
            "with the failed ones."
        )
    console.print(then, soft_wrap=True)
