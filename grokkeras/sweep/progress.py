"""A sweep in the terminal: a line for each run that ends, and on a terminal what runs now."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from grokkeras.logging.terminal import make_console, unless_closed
from grokkeras.logging.words import duration, percent
from grokkeras.strict_json import number
from grokkeras.sweep.jobs import Job, Outcome

_REFRESHES_PER_SECOND = 2
_FILE_WIDTH = 140
_TAIL_BYTES = 8192  # holds the last line of metrics.jsonl, however many measures there are


class SweepProgress:
    """See `Progress`. Prints lines; on a terminal the runs at work are redrawn below them.

    Args:
        plain: lines only, even on a terminal.
        console: where to print; None: the standard output.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        plain: bool = False,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console = console or make_console()
        self._plain = plain or not self.console.is_terminal
        if not self.console.is_terminal:  # a file has no edge that a table must stay within
            self.console.width = max(self.console.width, _FILE_WIDTH)
        self._clock = clock
        self._running: dict[Path, Job] = {}
        self._total = self._done = self._ended_now = 0
        self._start = clock()
        self._live: Live | None = None

    def begin(self, found: Sequence[Outcome], to_do: Sequence[Job]) -> None:
        """Says what is there and what is to be done."""
        self._total, self._done = len(found) + len(to_do), len(found)
        self._start = self._clock()
        failed = sum(outcome.status == "failed" for outcome in found)
        there = f", {len(found)} done before" if found else ""
        there += f" ({failed} of them failed; --retry goes on with those)" if failed else ""
        runs = "1 run" if self._total == 1 else f"{self._total} runs"
        self._print(f"{runs}{there}, {len(to_do)} to do")
        if to_do and not self._plain:
            self._live = Live(
                console=self.console,
                get_renderable=self.view,
                refresh_per_second=_REFRESHES_PER_SECOND,
                transient=True,
                vertical_overflow="crop",
            )
            self._live.start()

    def started(self, job: Job) -> None:
        """Shows the run from now on."""
        self._running[job.folder] = job

    def ended(self, outcome: Outcome) -> None:
        """Prints a line."""
        self._running.pop(outcome.job.folder, None)
        self._ended_now += 1
        self._done += outcome.status != "interrupted"
        self._print(f"[{self._done}/{self._total}] {outcome.job.label}: {_told(outcome)}")

    def end(self) -> None:
        """Takes the view away."""
        live, self._live = self._live, None
        if live is not None:
            with unless_closed(self.console):
                live.stop()

    def view(self) -> Text:
        """What runs now, as a terminal shows it."""
        spent = self._clock() - self._start
        head = f"{self._done} of {self._total} runs, {duration(spent)}"
        if self._ended_now:
            left = spent / self._ended_now * (self._total - self._done)
            head += f", about {duration(left)} left"
        # A copy: the view is drawn in a thread of its own.
        lines = [head, *(f"  {job.label}: {_standing(job)}" for job in [*self._running.values()])]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _print(self, line: str) -> None:
        with unless_closed(self.console):
            self.console.print(line, soft_wrap=self._plain)
            self.console.file.flush()


def _told(outcome: Outcome) -> str:
    steps = number(outcome.summary.get("steps"))
    seconds = number(outcome.summary.get("wall_seconds"))
    spent = "" if seconds is None else f", {duration(seconds)}"
    if outcome.status == "failed":
        return f"FAILED: {(outcome.error or 'no message').splitlines()[0]}"
    if outcome.status != "finished":
        return "stopped" if steps is None else f"stopped at step {steps:,.0f}, with a checkpoint"
    grokked = number(outcome.summary.get("grokking_step"))
    if grokked is not None:
        return f"grokked at step {grokked:,.0f}{spent}"
    return f"did not grok in {steps or 0:,.0f} steps{spent}"


def _standing(job: Job) -> str:
    record = _last_record(job.folder / "metrics.jsonl")
    step = number(record.get("step"))
    if step is None:
        return "starting"
    return (
        f"step {step:,.0f} / {job.config.train.max_steps:,}  "
        f"train {percent(record.get('train_accuracy'))}  "
        f"validation {percent(record.get('val_accuracy'))}"
    )


def _last_record(path: Path) -> dict[str, object]:
    """The last whole line of a file that another process appends to; {} where there is none."""
    with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().split(b"\n")[:-1]  # behind the last newline a line may be torn
        if lines:
            record = json.loads(lines[-1])
            return record if isinstance(record, dict) else {}
    return {}
