"""The terminal as plain lines: for pipes, log files, and people who ask for `--plain`.

One line for each transition, and a line of progress at steps 10, 20, 50, 100, ... and otherwise
ever more rarely: after ten seconds at first, after a twentieth of the time the run has taken later.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console

from grokkeras.logging.curve import Line
from grokkeras.logging.history import History
from grokkeras.logging.story import print_story
from grokkeras.logging.terminal import make_console, print_lines, unless_closed
from grokkeras.logging.words import announcement, duration, loss, percent, speed, varying

if TYPE_CHECKING:
    from grokkeras.config import RunConfig
    from grokkeras.detection import Event

_FIRST_MARK = 10
_PATIENCE_SECONDS = 10.0
_PATIENCE_SHARE = 0.05


def intro(
    config: RunConfig, task_line: str, facts: list[str], run_dir: Path, first_step: int
) -> list[Line]:
    """The lines that open a run."""
    going_on = f" from step {first_step:,}" if first_step else ""
    limit = f"{config.train.max_steps:,}"
    return [
        [(config.name, "headline"), (f"  {task_line}", "text")],
        *([(fact, "dim")] for fact in facts),
        [(f"up to {limit} steps{going_on}, run folder {run_dir}", "path")],
    ]


def time_left(step: int, end: int, steps_per_second: float | None) -> str | None:
    """The time until step `end`, or None if the speed is not known."""
    if not steps_per_second or steps_per_second <= 0:
        return None
    return duration(max(0, end - step) / steps_per_second)


class PlainDisplay:
    """A `Display` that writes lines and never moves the cursor.

    Args:
        stream: where to write; default the standard output.
        clock: seconds that only ever grow.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stdout if stream is None else stream
        # Plain on a terminal too, and even if the environment asks for colour everywhere.
        self._console = make_console(self._stream, force_terminal=False)
        self._clock = clock
        self._history = History()
        self._max_steps = 0
        self._stop_after: int | None = None
        self._step = 0
        self._speed: float | None = None
        self._next_mark = _FIRST_MARK
        self._started = self._next_time = clock()

    def replay(
        self, records: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Takes in what a resumed run did before."""
        self._history.replay(records, events)

    def start(
        self, config: RunConfig, task_line: str, facts: list[str], run_dir: Path, first_step: int
    ) -> None:
        """Writes the opening lines."""
        self._max_steps = config.train.max_steps
        self._stop_after = config.train.stop_after_grokking
        self._step = first_step
        self._next_mark = _mark_after(first_step)
        self._started = self._clock()
        self._next_time = self._started + _PATIENCE_SECONDS
        self._print(*intro(config, task_line, facts, run_dir, first_step))

    def progress(self, step: int, steps_per_second: float | None) -> None:
        """Writes a line if none has come for a while."""
        self._step, self._speed = step, steps_per_second
        if self._clock() >= self._next_time:
            self._line()

    def notice(self, text: str) -> None:
        """Writes the line."""
        self._print([(text, "text")])

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Writes a line if the step is the first past 10, 20, 50, 100, ..."""
        self._history.evaluation(record)
        self._step = max(self._step, record["step"])
        if self._step >= self._next_mark:
            self._next_mark = _mark_after(self._step)
            self._line()

    def event(self, event: Event) -> None:
        """Writes the announcement."""
        self._history.event(event.to_dict())
        told = announcement(event)
        if told is not None:
            self._print([(told, self._history.stage)])

    def flush(self) -> None:
        """Hands everything to the operating system."""
        with unless_closed(self._console):
            self._stream.flush()

    def finish(self, summary: Mapping[str, Any], run_dir: Path) -> None:
        """Tells the run's story."""
        with unless_closed(self._console):
            tell_story(self._console, self._history, summary, run_dir)

    def stop(self) -> None:
        """Nothing to clean up but what is buffered."""
        self.flush()

    def close(self) -> None:
        """Ends the display."""
        self.stop()

    def _line(self) -> None:
        now = self._clock()
        patience = max(_PATIENCE_SECONDS, _PATIENCE_SHARE * (now - self._started))
        self._next_time = now + patience
        last, end = self._history.last, self._history.end_step(self._max_steps, self._stop_after)
        parts = [f"step {self._step:,} / {self._max_steps:,}", self._history.stage]
        if last:
            parts += [
                f"train {percent(last['train_accuracy'])} (loss {loss(last['train_loss'])})",
                f"validation {percent(last['val_accuracy'])} (loss {loss(last['val_loss'])})",
                *varying(self._history.varying),
            ]
        forecast = self._history.forecast()
        if forecast is not None:
            parts.append(forecast.brief())
        parts.append(speed(self._speed))
        left = time_left(self._step, end, self._speed)
        if left is not None:
            parts.append(f"{left} left")
        self._print([("  ".join(parts), "text")])

    def _print(self, *lines: Line) -> None:
        with unless_closed(self._console):
            print_lines(self._console, lines)
            self._stream.flush()


def tell_story(
    console: Console, history: History, summary: Mapping[str, Any], run_dir: Path
) -> None:
    """The story of a run that a display has followed to its end."""
    record = SimpleNamespace(
        summary=summary, metrics=history.records, events=history.events, path=run_dir
    )
    console.print()
    print_story(record, console, name_show=True)


def _mark_after(step: int) -> int:
    """The first of 10, 20, 50, 100, 200, ... beyond `step`."""
    mark = _FIRST_MARK
    while True:
        for factor in (1, 2, 5):
            if factor * mark > step:
                return factor * mark
        mark *= 10
