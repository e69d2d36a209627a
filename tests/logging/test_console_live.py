from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grokkeras.config.schema import RunConfig
from grokkeras.detection import Event
from grokkeras.logging.curve import plain
from grokkeras.logging.live import LiveDisplay

CONFIG = RunConfig.model_validate(
    {
        "task": {"name": "modular_arithmetic", "operation": "add"},
        "model": {"name": "transformer"},
        "train": {"max_steps": 10_000, "stop_after_grokking": 200},
    }
)
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class Clock:
    """Each reading may take its time, so that a redraw seems to cost something."""

    def __init__(self) -> None:
        self.now = 0.0
        self.each = 0.0

    def __call__(self) -> float:
        self.now += self.each
        return self.now


class Screen(io.StringIO):
    def redraws(self) -> int:
        """How often the view was drawn since the last call."""
        count = self.getvalue().count("/ 10,000")
        self.seek(0)
        self.truncate()
        return count

    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())


def make(width: int = 100, height: int = 40) -> tuple[LiveDisplay, Screen, Clock]:
    screen, clock = Screen(), Clock()
    console = Console(
        file=screen, force_terminal=True, width=width, height=height, markup=False, highlight=False
    )
    return LiveDisplay(clock=clock, console=console), screen, clock


@pytest.fixture
def live() -> Any:
    display, screen, clock = make()
    display.start(CONFIG, "addition mod 97", ["a fact"], Path("runs/[red]x"), 0)
    yield display, screen, clock
    display.stop()


def evaluation(step: int, train: object = 0.5, val: object = 0.1) -> dict[str, Any]:
    return {"step": step, "train_accuracy": train, "val_accuracy": val, "train_loss": 1e-9}


def grokking(step: int) -> Event:
    detail = {"confirmed_step": step, "metric": "accuracy", "threshold": 0.95, "delay_steps": 9}
    return Event(step, "grokking", detail)


def shown(display: LiveDisplay, width: int = 100, height: int = 40) -> list[str]:
    return plain(display.view(width, height))


def test_the_view_before_and_during_a_run(live: Any) -> None:
    display, screen, _ = live
    assert "run folder runs/[red]x" in screen.text()
    assert shown(display) == ["memorizing   step 0 / 10,000  preparing the first step"]
    display.evaluation(evaluation(100, 1.0, 0.25))
    display.progress(200, 98.0)
    lines = shown(display)
    assert lines[:4] == [
        "memorizing   step 200 / 10,000  98 steps/s  at most 100 s left",
        "train        accuracy 100.0 %   loss 1.00e-09",
        "validation   accuracy  25.0 %   loss -",
        "",
    ]
    assert lines[4].endswith("accuracy by step")
    assert lines[-1].endswith("10k")


def test_what_follows_a_schedule_is_shown(live: Any) -> None:
    display, _, _ = live
    for step, rate in ((1, 0.3), (10, 0.15)):
        display.evaluation(evaluation(step) | {"dropout_rate": rate, "weight_decay": 1.0})
    (line,) = [line for line in shown(display) if line.startswith("train")]
    assert line.endswith("   dropout rate 0.15")


def test_once_grokked_the_end_is_known(live: Any) -> None:
    display, _, _ = live
    display.progress(1000, 10.0)
    display.event(grokking(900))
    assert shown(display) == ["grokked      step 1,000 / 10,000  10 steps/s  10 s left"]


def test_four_redraws_a_second_at_most(live: Any) -> None:
    display, screen, clock = live
    screen.redraws()
    for call in range(10_000):
        clock.now = call / 1000
        display.progress(call, 1000.0)
    assert 38 <= screen.redraws() <= 41


def test_a_slow_terminal_is_redrawn_more_rarely(live: Any) -> None:
    display, screen, clock = live
    clock.now, clock.each = 1000.0, 0.03  # the second reading says that a redraw took 0.03 s
    display.progress(1, None)
    assert screen.redraws() > 0
    clock.each, start = 0.0, clock.now
    for tenth in range(99):
        clock.now = start + tenth / 10
        display.progress(1, None)
    assert screen.redraws() == 0  # 0.03 s at 0.3 % buy ten seconds of rest
    clock.now = start + 10.1
    display.progress(1, None)
    assert screen.redraws() == 1


def test_the_curve_is_drawn_anew_only_after_an_evaluation(
    live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokkeras.logging import live as module

    drawn = []
    real = module.draw
    monkeypatch.setattr(module, "draw", lambda *a, **k: drawn.append(1) or real(*a, **k))
    display, _, clock = live
    for second in range(1, 6):
        clock.now = float(second)
        if second in (1, 4):
            display.evaluation(evaluation(second))
        display.progress(second, 1.0)
    assert len(drawn) == 2


def test_announcements_stay_and_the_view_goes(live: Any) -> None:
    display, screen, _ = live
    display.evaluation(evaluation(300, 1.0, 1.0))
    display.event(grokking(300))
    display.notice("a [bold]notice[/bold]")
    display.finish({"status": "finished", "steps": 300, "grokking_step": 300}, Path("runs/[red]x"))
    text = screen.text()
    assert "step 300: GROKKED, 9 steps after memorizing" in text
    assert "a [bold]notice[/bold]" in text
    assert "Grokked at step 300" in text
    assert "grokkeras board 'runs/[red]x'" in text
    assert screen.getvalue().rindex(SHOW_CURSOR) > screen.getvalue().rindex(HIDE_CURSOR)


def test_stop_leaves_the_terminal_clean_and_says_where_the_run_stood() -> None:
    before = sys.stdout, sys.stderr
    display, screen, _ = make()
    display.stop()
    assert screen.getvalue() == ""
    display.start(CONFIG, "addition", [], Path("runs/x"), 0)
    display.evaluation(evaluation(40, 0.8, 0.1))
    display.stop()
    display.stop()
    display.close()
    assert (sys.stdout, sys.stderr) == before
    assert screen.getvalue().rindex(SHOW_CURSOR) > screen.getvalue().rindex(HIDE_CURSOR)
    last = screen.text().splitlines()[-1].strip("\r")
    told = "memorizing at step 40 of 10,000: train accuracy 80.0 %, validation accuracy 10.0 %"
    assert last.endswith(told)
    assert screen.text().count("memorizing at step 40") == 1


def test_a_run_that_never_began_leaves_no_last_line() -> None:
    display, screen, _ = make()
    display.start(CONFIG, "addition", [], Path("runs/x"), 0)
    display.stop()
    assert "memorizing at step" not in screen.text()


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (48, 11), (80, 24), (200, 60)])
def test_any_terminal_will_do(width: int, height: int) -> None:
    display, _screen, clock = make(width, height)
    display.start(CONFIG, "addition mod 97 " * 10, [], Path("runs/x"), 0)
    for step in (1, 10, 100, 1000):
        clock.now += 1
        display.evaluation(evaluation(step))
        display.progress(step, None)
    lines = shown(display, width, height)
    assert len(lines) < height
    assert all(len(line) <= width for line in lines[4:])  # the first ones are cropped by rich
    assert (len(lines) > 4) == (width > 48 and height >= 11)
    display.stop()


def test_a_terminal_that_goes_away_does_not_end_the_run(live: Any) -> None:
    display, screen, clock = live
    screen.close()
    clock.now = 100.0
    display.evaluation(evaluation(50))
    display.progress(60, 10.0)
    display.event(grokking(60))
    display.notice("x")
    display.flush()
    display.finish({"status": "finished", "steps": 60}, Path("x"))
    display.close()
    assert sys.stdout is not None
    assert not sys.stdout.closed


def test_a_resumed_run_shows_its_whole_curve() -> None:
    display, _, _ = make()
    event = {"step": 5, "event": "memorization", "detail": {}}
    display.replay([evaluation(step) for step in range(1, 100)], [event])
    display.start(CONFIG, "addition", [], Path("runs/x"), 99)
    lines = shown(display)
    assert lines[0].startswith("overfitting  step 99 / 10,000")
    assert len(lines) > 10
    display.stop()
