"""What a destination of a run's numbers must be able to do: `Writer`, and `Display` for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from grokkeras.config import RunConfig
    from grokkeras.detection import Event


class Writer(Protocol):
    """Takes in evaluations and events as they happen."""

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Takes one evaluation: `step`, `seconds`, `train_loss`, ... and one key a measure."""
        ...

    def event(self, event: Event) -> None:
        """Takes one event."""
        ...

    def flush(self) -> None:
        """Hands everything to the operating system."""
        ...

    def close(self) -> None:
        """Ends the writer; a second call does nothing."""
        ...


class Display(Writer, Protocol):
    """Shows a run to a person. It never fails the run: where it cannot write, it falls silent.

    The order of calls: `replay` if the run is resumed, `start`, then the rest as it happens, then
    `finish` or, on any other exit, `stop`.
    """

    def replay(
        self, records: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Takes in, without a word, what a resumed run did before.

        Args:
            records: the evaluations up to the checkpoint, as in `metrics.jsonl`.
            events: the events up to the checkpoint, as in `events.jsonl`.
        """
        ...

    def start(
        self, config: RunConfig, task_line: str, facts: list[str], run_dir: Path, first_step: int
    ) -> None:
        """The run begins.

        Args:
            config: the resolved configuration.
            task_line: the task in one sentence.
            facts: further lines, such as parameters and memory.
            run_dir: the run folder.
            first_step: the step it goes on from; 0 for a new run.
        """
        ...

    def progress(self, step: int, steps_per_second: float | None) -> None:
        """Called at the end of every chunk; nearly free unless it is time to show something.

        Args:
            step: optimizer steps done.
            steps_per_second: current speed, or None if not known yet.
        """
        ...

    def notice(self, text: str) -> None:
        """One line for the person, such as "resumed from step 500"."""
        ...

    def finish(self, summary: Mapping[str, Any], run_dir: Path) -> None:
        """The run is over: tells its story.

        Args:
            summary: the contents of `summary.json`.
            run_dir: the run folder.
        """
        ...

    def stop(self) -> None:
        """Leaves the terminal clean. Safe at any moment and any number of times."""
        ...


class QuietDisplay:
    """Shows nothing: for runs started from Python."""

    def replay(
        self, records: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Nothing."""

    def start(
        self, config: RunConfig, task_line: str, facts: list[str], run_dir: Path, first_step: int
    ) -> None:
        """Nothing."""

    def progress(self, step: int, steps_per_second: float | None) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Nothing."""

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

    def finish(self, summary: Mapping[str, Any], run_dir: Path) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def make_display(plain: bool | None = None, stream: TextIO | None = None) -> Display:
    """The display that fits where the output goes.

    Args:
        plain: True for plain lines always; otherwise a live view where `stream` is a terminal.
        stream: where to write; default the standard output.

    Returns:
        A `LiveDisplay` on a terminal, else a `PlainDisplay`.
    """
    stream = sys.stdout if stream is None else stream
    if not plain and stream.isatty() and os.environ.get("TERM") != "dumb":
        from grokkeras.logging.live import LiveDisplay

        return LiveDisplay(stream)
    from grokkeras.logging.console import PlainDisplay

    return PlainDisplay(stream)
