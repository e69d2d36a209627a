from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokkeras.config.schema import RunConfig
from grokkeras.detection import Event
from grokkeras.logging import QuietDisplay, make_display
from grokkeras.logging.console import PlainDisplay
from grokkeras.logging.live import LiveDisplay
from grokkeras.logging.words import announcement

CONFIG = RunConfig.model_validate(
    {
        "name": "quick",
        "task": {"name": "modular_arithmetic", "operation": "add"},
        "model": {"name": "transformer"},
        "train": {"max_steps": 1000, "stop_after_grokking": 200},
    }
)
RUN = Path("runs/[red]odd name[/red]")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def evaluation(step: int, train: object = 0.5, val: object = 0.1) -> dict:
    return {
        "step": step,
        "train_accuracy": train,
        "val_accuracy": val,
        "train_loss": 1.5,
        "val_loss": None,
    }


def detected(name: str, step: int, **detail: object) -> Event:
    return Event(
        step, name, {"confirmed_step": step + 5, "metric": "accuracy", "threshold": 0.95, **detail}
    )


def plain_display() -> tuple[PlainDisplay, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    display = PlainDisplay(stream, clock)
    display.start(CONFIG, "addition mod 97", ["226,816 parameters"], RUN, 0)
    return display, stream, clock


def new_lines(stream: io.StringIO) -> list[str]:
    lines = stream.getvalue().splitlines()
    stream.seek(0)
    stream.truncate()
    return lines


def test_opening_lines_print_names_literally() -> None:
    _, stream, _ = plain_display()
    assert new_lines(stream) == [
        "quick  addition mod 97",
        "226,816 parameters",
        "up to 1,000 steps, run folder runs/[red]odd name[/red]",
    ]


def test_evaluations_are_shown_at_one_two_five() -> None:
    display, stream, _ = plain_display()
    new_lines(stream)
    for step in range(1, 1000):
        display.evaluation(evaluation(step))
    shown = [line.split(" / ")[0] for line in new_lines(stream)]
    assert shown == [f"step {mark}" for mark in (10, 20, 50, 100, 200, 500)]


def test_a_line_of_progress() -> None:
    display, stream, _ = plain_display()
    new_lines(stream)
    display.progress(9, 100.0)
    display.evaluation(evaluation(10, 1.0, 0.123))
    assert new_lines(stream) == [
        "step 10 / 1,000  memorizing  train 100.0 % (loss 1.5)  validation 12.3 % (loss -)  "
        "100 steps/s  9.9 s left"
    ]


def test_what_follows_a_schedule_is_shown() -> None:
    display, stream, _ = plain_display()
    new_lines(stream)
    for step, decay in ((1, 1.0), (10, 0.5), (20, 0.123456)):
        display.evaluation(
            evaluation(step) | {"learning_rate": 0.001, "weight_decay": decay, "dropout_rate": 0.0}
        )
    assert ["(loss -)  weight decay 0.5  " in line for line in new_lines(stream)] == [True, False]
    assert display._history.varying == {"weight_decay": 0.123456}


def test_progress_speaks_after_ten_seconds_and_later_more_rarely() -> None:
    display, stream, clock = plain_display()
    new_lines(stream)
    spoke = []
    for second in range(4001):
        clock.now = float(second)
        display.progress(1 + second // 1000, None)
        if new_lines(stream):
            spoke.append(second)
    assert spoke[:3] == [10, 20, 30]
    assert spoke[-1] - spoke[-2] > 150
    assert len(spoke) < 120


def test_the_end_is_sooner_once_it_has_grokked() -> None:
    display, stream, _ = plain_display()
    display.event(detected("grokking", 100, delay_steps=50))
    new_lines(stream)
    display.progress(200, 10.0)
    display.evaluation(evaluation(200))
    assert "grokked" in stream.getvalue()
    assert new_lines(stream)[0].endswith("10 s left")  # to step 300, not 1,000


def test_transitions_are_announced_and_checkpoints_are_not() -> None:
    display, stream, _ = plain_display()
    new_lines(stream)
    display.event(detected("memorization", 150, threshold=0.99))
    display.event(Event(200, "checkpoint", {"path": "x"}))
    display.event(detected("grokking", 3100, delay_steps=2950))
    display.notice("resumed from [step] 500")
    assert new_lines(stream) == [
        "step 150: memorized (train accuracy >= 99 %), confirmed at step 155",
        "step 3,100: GROKKED, 2,950 steps after memorizing (validation accuracy >= 95 %), "
        "confirmed at step 3,105",
        "resumed from [step] 500",
    ]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (detected("plateau", 300, value=0.31), "plateau: validation accuracy 31.0 % at twice"),
        (detected("collapse", 9, value=None), "step 9: COLLAPSED, validation accuracy -"),
        (
            detected("collapse", 9, value=12.5, metric="loss"),
            "step 9: COLLAPSED, validation loss 12.5",
        ),
        (
            detected("grokking", 7, delay_steps=-2, metric="loss", threshold=0.1),
            "step 7: GROKKED (validation loss <= 0.1), confirmed at step 12",
        ),
        (detected("memorization", 5, end_of_run=True), "held to the end of the run"),
        (Event(1, "memorization", {}), "step 1: memorized (train accuracy), confirmed"),
        (Event(4, "softmax_collapse", {"message": "why"}), "softmax collapse at step 4: why"),
    ],
)
def test_announcements(event: Event, told: str) -> None:
    assert told in str(announcement(event))


def test_a_resumed_run_knows_its_stage_and_says_where_it_goes_on() -> None:
    stream = io.StringIO()
    display = PlainDisplay(stream, Clock())
    display.replay([evaluation(500)], [detected("memorization", 150).to_dict()])
    assert stream.getvalue() == ""
    display.start(CONFIG, "addition mod 97", [], RUN, 500)
    assert "up to 1,000 steps from step 500" in stream.getvalue()
    new_lines(stream)
    display.evaluation(evaluation(600))
    assert new_lines(stream) == []
    display.evaluation(evaluation(1000))
    assert "overfitting" in new_lines(stream)[0]


def test_the_end_tells_the_story_from_what_was_seen() -> None:
    display, stream, _ = plain_display()
    for step in (1, 10, 100):
        display.evaluation(evaluation(step))
    new_lines(stream)
    display.finish({"status": "finished", "steps": 100}, RUN)
    lines = new_lines(stream)
    assert lines[1].startswith("Neither memorized nor grokked in 100 steps")
    assert any(line.startswith(" 100 %|") for line in lines)
    assert "grokkeras show 'runs/[red]odd name[/red]'   # this story again" in lines
    display.stop()
    display.close()


WITHOUT_A_READER = """
import sys
from pathlib import Path
from types import SimpleNamespace as N
from grokkeras.logging import make_display
display = make_display(plain=True)
train = N(max_steps=10, stop_after_grokking=None)
sys.stdin.read()
display.start(N(name="x", train=train), "y" * 100_000, [], Path("z"), 0)
display.notice("more")
display.finish({}, Path("z"))
display.close()
print("done", file=sys.stderr)
"""


def test_a_reader_that_goes_away_does_not_end_the_run() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_A_READER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with process.stderr:
        process.stdout.close()
        process.stdin.close()  # now it goes on, and finds its reader gone
        errors = process.stderr.read()
    assert (errors, process.wait()) == ("done\n", 0)


def test_a_closed_stream_silences_and_a_mistake_does_not_hide() -> None:
    display, stream, _ = plain_display()
    with pytest.raises(ValueError, match="invalid literal"):
        display.event(detected("memorization", int("x")))
    stream.close()
    display.notice("nobody reads this")
    display.finish({}, RUN)
    display.close()


def test_names_that_the_encoding_lacks_are_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    display = PlainDisplay(stream, Clock())
    display.notice("runs/größe-\udcff")
    assert raw.getvalue() == b"runs/gr\\xf6\\xdfe-\\udcff\n"


def test_no_colours_in_a_pipe_whatever_the_environment_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    display, stream, _ = plain_display()
    display.event(detected("memorization", 150))
    assert "\x1b" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_which_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_display(stream=Terminal()), LiveDisplay)
    assert isinstance(make_display(plain=False, stream=Terminal()), LiveDisplay)
    assert isinstance(make_display(plain=True, stream=Terminal()), PlainDisplay)
    assert isinstance(make_display(stream=io.StringIO()), PlainDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_display(stream=Terminal()), PlainDisplay)


def test_quiet_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    display = QuietDisplay()
    display.replay([], [])
    display.start(CONFIG, "", [], RUN, 0)
    display.evaluation(evaluation(1))
    display.event(detected("grokking", 1))
    display.progress(1, None)
    display.notice("x")
    display.flush()
    display.finish({}, RUN)
    display.stop()
    display.close()
    assert capfd.readouterr() == ("", "")


def test_importing_the_package_loads_neither_rich_nor_numpy() -> None:
    code = (
        "import sys, grokkeras.logging;"
        "print([m for m in ('rich', 'numpy', 'keras', 'pydantic') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
