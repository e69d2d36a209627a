"""The terminal as a live view: stage, step, accuracies, the curve, speed and time left.

Redrawn from `progress` and `evaluation`, without a thread: at most four times a second, and the
more rarely the longer a redraw takes, so that redraws take no more than 0.3 % of the run.
Announcements scroll by above the view and stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from grokkeras.logging.console import intro, tell_story, time_left
from grokkeras.logging.curve import Line, draw
from grokkeras.logging.history import History
from grokkeras.logging.terminal import as_text, make_console, print_lines, unless_closed
from grokkeras.logging.words import announcement, loss, percent, speed, varying

if TYPE_CHECKING:
    from grokkeras.config import RunConfig
    from grokkeras.detection import Event
    from grokkeras.forecast import Forecast

_INTERVAL_SECONDS = 0.25
_COST_SHARE = 0.003
_MAX_WIDTH, _MAX_CURVE_HEIGHT = 100, 12
_LINES_BESIDE_CURVE = 7  # status lines, a blank one, and one to spare for the cursor


class LiveDisplay:
    """A `Display` that redraws a few lines in place.

    Args:
        stream: the terminal; default the standard output.
        clock: seconds that only ever grow.
        console: instead of `stream`, a console of the caller's.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        console: Console | None = None,
    ) -> None:
        self._console = console or make_console(stream)
        self._clock = clock
        self._history = History()
        self._live: Live | None = None
        self._max_steps = 0
        self._stop_after: int | None = None
        self._step = 0
        self._speed: float | None = None
        self._begun = False
        self._next_time = 0.0
        self._curve: list[Line] = []
        self._curve_of: tuple[Any, int, int] | None = None
        self._forecast: Forecast | None = None
        self._forecast_of: tuple[Any, str] | None = None

    def replay(
        self, records: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Takes in what a resumed run did before."""
        self._history.replay(records, events)

    def start(
        self, config: RunConfig, task_line: str, facts: list[str], run_dir: Path, first_step: int
    ) -> None:
        """Prints the opening lines and begins the view."""
        self._max_steps = config.train.max_steps
        self._stop_after = config.train.stop_after_grokking
        self._step = first_step
        with unless_closed(self._console):
            print_lines(self._console, intro(config, task_line, facts, run_dir, first_step))
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
            )
            self._live.start()
        self._redraw(self._clock())

    def progress(self, step: int, steps_per_second: float | None) -> None:
        """Redraws if it is time."""
        self._step, self._speed = step, steps_per_second
        self._begun = True
        now = self._clock()
        if now >= self._next_time:
            self._redraw(now)

    def notice(self, text: str) -> None:
        """Prints the line above the view."""
        self._print([(text, "text")])

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Takes the evaluation in and redraws if it is time."""
        self._history.evaluation(record)
        self._step = max(self._step, record["step"])
        self._begun = True
        now = self._clock()
        if now >= self._next_time:
            self._redraw(now)

    def event(self, event: Event) -> None:
        """Prints the announcement above the view."""
        self._history.event(event.to_dict())
        told = announcement(event)
        if told is not None:
            self._print([(told, self._history.stage)])
            self._redraw(self._clock())

    def flush(self) -> None:
        """Hands everything to the operating system."""
        with unless_closed(self._console):
            self._console.file.flush()

    def finish(self, summary: Mapping[str, Any], run_dir: Path) -> None:
        """Replaces the view by the run's story."""
        self._end_view()
        with unless_closed(self._console):
            tell_story(self._console, self._history, summary, run_dir)

    def stop(self) -> None:
        """Takes the view away, gives the cursor back and leaves a line on where the run stood."""
        if self._end_view() and self._begun:
            last = self._history.last
            accuracies = (
                f": train accuracy {percent(last['train_accuracy'])}, "
                f"validation accuracy {percent(last['val_accuracy'])}"
                if last
                else ""
            )
            stood = f"{self._history.stage} at step {self._step:,} of {self._max_steps:,}"
            self._print([(stood + accuracies, "text")])

    def close(self) -> None:
        """Ends the display."""
        self.stop()

    def view(self, width: int, height: int) -> list[Line]:
        """The lines of the view on a terminal of this size."""
        history = self._history
        end = history.end_step(self._max_steps, self._stop_after)
        status: Line = [
            (f"{history.stage:<11}", history.stage),
            (f"  step {self._step:,} / {self._max_steps:,}", "text"),
        ]
        left = time_left(self._step, end, self._speed)
        if not self._begun:
            status.append(("  preparing the first step", "dim"))
        else:
            status.append((f"  {speed(self._speed)}", "text"))
            if left is not None:
                # Grokking may end the run sooner than max_steps does.
                open_end = self._stop_after is not None and history.grokking_step is None
                status.append((f"  {'at most ' if open_end else ''}{left} left", "dim"))
        lines = [status]
        if history.last:
            lines += [self._metrics("train", "train"), self._metrics("validation", "val")]
            lines[1] += [(f"   {words}", "dim") for words in varying(history.varying)]
            forecast = self._forecast_now()
            if forecast is not None:
                lines.append([(f"{'forecast':<11}  {forecast.brief()}", "text")])
            curve = self._curve_within(
                min(width - 1, _MAX_WIDTH), min(height - _LINES_BESIDE_CURVE, _MAX_CURVE_HEIGHT)
            )
            lines += [[], *curve] if curve else []
        return lines

    def _curve_within(self, width: int, height: int) -> list[Line]:
        """The curve, drawn anew only after an evaluation: it is the larger part of a redraw."""
        curve_of = (self._history.last["step"], width, height)
        if self._curve_of != curve_of:
            self._curve_of = curve_of
            self._curve = draw(
                self._history.records,
                width,
                height,
                last_step=self._max_steps,
                braille=self._console.encoding.startswith("utf"),
            )
        return self._curve

    def _forecast_now(self) -> Forecast | None:
        """The forecast, made anew only after an evaluation."""
        forecast_of = (self._history.last["step"], self._history.stage)
        if self._forecast_of != forecast_of:
            self._forecast_of = forecast_of
            self._forecast = self._history.forecast()
        return self._forecast

    def _metrics(self, word: str, key: str) -> Line:
        last = self._history.last
        return [
            (f"{word:<11}", word),
            (f"  accuracy {percent(last[f'{key}_accuracy']):>7}", "text"),
            (f"   loss {loss(last[f'{key}_loss'])}", "text"),
        ]

    def _redraw(self, now: float) -> None:
        if self._live is None:
            return
        with unless_closed(self._console):
            size = self._console.size
            lines = self.view(size.width, size.height)
            text = Text("\n").join(as_text(line) for line in lines)
            text.no_wrap, text.overflow = True, "crop"
            self._live.update(text, refresh=True)
        self._next_time = now + max(_INTERVAL_SECONDS, (self._clock() - now) / _COST_SHARE)

    def _end_view(self) -> bool:
        """Whether there was a view to end."""
        live, self._live = self._live, None
        if live is None:
            return False
        with unless_closed(self._console):
            live.stop()
        return True

    def _print(self, line: Line) -> None:
        with unless_closed(self._console):
            print_lines(self._console, [line])
