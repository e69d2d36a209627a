from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grokkeras.logging.curve import plain
from grokkeras.logging.story import headline, print_story, story
from grokkeras.logging.terminal import make_console

SUMMARY: dict[str, Any] = {
    "schema_version": 1,
    "status": "finished",
    "phase": "grokking",
    "memorization_step": 150,
    "grokking_step": 3100,
    "delay_steps": 2950,
    "stable": True,
    "steps": 3300,
    "wall_seconds": 65.2,
    "steps_per_second": 55.0,
    "backend": "jax",
    "seed": 0,
    "task": "modular_arithmetic",
    "model": "transformer",
    "optimizer": "adamw",
    "num_parameters": 226_816,
    "final": {
        "train_accuracy": 1.0,
        "val_accuracy": 0.99,
        "test_accuracy": 0.985,
        "train_loss": 2e-7,
        "val_loss": 0.05,
        "test_loss": 0.06,
    },
    "best": {
        "train_accuracy": 1.0,
        "val_accuracy": 0.9995,
        "test_accuracy": None,
        "train_loss": None,
        "val_loss": 0.001,
        "test_loss": float("nan"),
    },
}
METRICS = [
    {"step": 1, "train_accuracy": 0.01, "val_accuracy": 0.01},
    {"step": 150, "train_accuracy": 0.99, "val_accuracy": 0.05},
    {"step": 3300, "train_accuracy": 1.0, "val_accuracy": 0.99},
]


def run(metrics: list | None = None, events: list | None = None, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(
        summary={**SUMMARY, **changes},
        metrics=METRICS if metrics is None else metrics,
        events=events or [],
        path=Path("runs/quick-1"),
    )


def printed(record: SimpleNamespace, **options: Any) -> list[str]:
    stream = io.StringIO()
    print_story(record, make_console(stream, width=80), **options)
    return stream.getvalue().splitlines()


def collapse(step: int, **detail: Any) -> dict:
    return {"step": step, "event": "collapse", "detail": detail}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (
            run(),
            "Memorized at step 150; 2,950 steps of plateau; grokked at step 3,100; stable since.",
        ),
        (
            run(steps=3100, metrics=[]),
            "Memorized at step 150; 2,950 steps of plateau; grokked at step 3,100; the run ended "
            "there.",
        ),
        (
            run(stable=False, events=[collapse(3200, value=0.61)]),
            "Memorized at step 150; 2,950 steps of plateau; grokked at step 3,100; collapsed at "
            "step 3,200 (validation accuracy 61.0 %).",
        ),
        (
            run(stable=False, memorization_step=3100, events=[collapse(9, metric="loss")]),
            "Memorized and grokked at once, at step 3,100; collapsed at step 9 (validation "
            "loss -).",
        ),
        (
            run(memorization_step=3200, stable=False),
            "Grokked at step 3,100, before memorizing at step 3,200; collapsed afterwards.",
        ),
        (
            run(memorization_step=None),
            "Grokked at step 3,100 without ever fitting the training data; stable since.",
        ),
        (
            run(grokking_step=None),
            "Memorized at step 150; not grokked in the 3,150 steps since (validation accuracy "
            "99.0 %).",
        ),
        (
            run(
                grokking_step=None, memorization_step=None, final=None, metrics=METRICS[:1], steps=1
            ),
            "Neither memorized nor grokked in 1 step (train accuracy 1.0 %, validation accuracy "
            "1.0 %).",
        ),
        (
            run(status="interrupted", grokking_step=None),
            "Interrupted at step 3,300. Memorized at step 150; not grokked in the 3,150 steps "
            "since (validation accuracy 99.0 %).",
        ),
        (
            run(status="failed", error="the loss is NaN.", steps=0, metrics=[]),
            "Failed at step 0: the loss is NaN.",
        ),
        (run(status="running", steps=0, metrics=[]), "Still running, or killed: at step 0."),
        (run(steps=0, metrics=[]), "No step was taken."),
    ],
)
def test_headlines(record: SimpleNamespace, told: str) -> None:
    assert headline(record) == told


def test_a_running_run_is_told_from_its_events() -> None:
    events = [{"step": 150, "event": "memorization", "detail": {}}]
    record = run(
        events=events, status="running", memorization_step=None, grokking_step=None, steps=0,
        phase=None, final=dict.fromkeys(SUMMARY["final"]), best=None, wall_seconds=None,
    )  # fmt: skip
    assert headline(record) == (
        "Still running, or killed: at step 3,300. Memorized at step 150; not grokked in the 3,150 "
        "steps since (validation accuracy 99.0 %)."
    )
    lines = printed(record)
    assert "at step 3,300" in lines[-7]
    assert "grokkeras resume runs/quick-1   # go on from the last checkpoint" in lines
    assert not any(line.startswith("test") for line in lines)


def test_the_whole_story() -> None:
    lines = printed(run(), name_show=True)
    assert lines[:3] == [
        "Memorized at step 150; 2,950 steps of plateau; grokked at step 3,100; stable since.",
        "modular_arithmetic, transformer, adamw, on jax, seed 0, 226,816 parameters",
        "Phase: grokking. 3,300 steps in 65 s, 55 steps/s while training.",
    ]
    assert lines[5].startswith(" 100 %|")
    assert lines[-9:] == [
        "",
        "                      last weights          best weights",
        "                accuracy      loss    accuracy      loss",
        "train            100.0 %  2.00e-07     100.0 %         -",
        "validation        99.0 %      0.05      99.9 %     0.001",
        "test              98.5 %      0.06           -         -",
        "",
        "grokkeras show runs/quick-1   # this story again",
        "grokkeras board runs/quick-1   # the curves in TensorBoard",
    ]


def test_only_commands_that_make_sense() -> None:
    def commands(record: SimpleNamespace) -> list[str]:
        return [line.split()[1] for line in printed(record) if line.startswith("grokkeras")]

    assert commands(run()) == ["board"]
    assert commands(run(status="interrupted")) == ["board", "resume"]
    assert commands(run(status="failed")) == ["board", "resume"]


def test_each_diagnosis_once_in_its_first_words() -> None:
    why = {"message": "98 % of losses are 0: raise weight decay."}
    events = [
        {"step": step, "event": "softmax_collapse", "detail": why} for step in (400, 500, 600)
    ]
    events += [{"step": 9, "event": "resume", "detail": {"from_step": 9}}]
    lines = plain(story(run(events=events)))
    told = "Softmax collapse at step 400: 98 % of losses are 0: raise weight decay."
    assert lines[3] == f"{told} (2 more of these later)"
    assert not any("esume" in line for line in lines)


def test_a_record_with_nothing_in_it() -> None:
    bare = SimpleNamespace(summary={}, metrics=[], events=[], path=Path("x"))
    assert printed(bare) == [
        "No step was taken.",
        "",
        "grokkeras board x   # the curves in TensorBoard",
    ]


def test_missing_metrics_and_nan() -> None:
    metrics = [{"step": 1}, {"step": 10, "train_accuracy": float("nan"), "val_loss": None}]
    record = run(metrics=metrics, grokking_step=None, final=None, best=None, steps=None)
    lines = printed(record)
    assert lines[0].endswith("(validation accuracy -).")
    assert not any("|" in line for line in lines)
    assert "train                  -         -" in lines


def test_names_are_printed_literally_and_quoted_for_the_shell() -> None:
    record = run()
    record.path = Path("runs/[red]it's [/]")
    (line,) = [line for line in printed(record) if "board" in line]
    assert line.startswith("""grokkeras board 'runs/[red]it'"'"'s [/]'""")


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_curve_fits_the_width(width: int) -> None:
    lines = plain(story(run(), width, braille=True))
    curve = [line for line in lines if "│" in line or "└" in line]
    assert bool(curve) == (width >= 60)
    assert all(len(line) <= min(width, 100) for line in curve)
