from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.logging.curve import MIN_HEIGHT, MIN_WIDTH, draw, plain, short_count
from grokkeras.logging.history import History


def record(step: int, train: object = None, val: object = None, **more: object) -> dict:
    return {"step": step, "train_accuracy": train, "val_accuracy": val, **more}


def test_a_small_curve_to_the_last_character() -> None:
    records = [record(1, 0.0, 0.0), record(10, 1.0, 0.0), record(100, 1.0, 0.5)]
    records += [record(1000, 1.0, 1.0)]
    assert plain(draw(records, 48, 8, braille=False)) == [
        "       . train   # validation   accuracy by step",
        " 100 %|            .........................####",
        "      |         ...                   ######",
        "  50 %|     ....               #######",
        "      |  ...            #######",
        "   0 %|#################",
        "      ++------------+-------------+------------+",
        "       1           10            100          1k",
    ]


def test_braille_has_the_same_frame_and_eight_dots_a_cell() -> None:
    lines = plain(draw([record(1, 0.0), record(1000, 1.0)], 50, 9))
    assert lines[1].startswith(" 100 %│")
    assert lines[6].startswith("   0 %│")
    assert lines[7].strip().startswith("└┴")
    cells = "".join(line[7:] for line in lines[1:7])
    assert all(cell == " " or 0x2800 < ord(cell) <= 0x28FF for cell in cells)
    assert lines[1][-1] != " "
    assert lines[6][7] != " "


def test_validation_is_coloured_over_train() -> None:
    lines = draw([record(1, 1.0, 1.0), record(100, 1.0, 1.0)], 50, 8)
    assert {role for _, role in lines[1][1:]} == {"validation"}
    lines = draw([record(1, 1.0, 0.0), record(100, 1.0, 0.0)], 50, 8)
    assert {role for _, role in lines[1][1:]} == {"train"}
    assert {role for _, role in lines[5][1:]} == {"validation"}


def test_gaps_where_a_value_is_missing() -> None:
    values = [1.0, 1.0, None, float("nan"), 1.0]
    records = [record(10**k, value) for k, value in enumerate(values)]
    top = plain(draw(records, 48, 8, braille=False))[1][7:]
    dots = [i for i, character in enumerate(top) if character == "."]
    assert dots == [*range(11), 40]


def test_losses_are_drawn_where_there_is_no_accuracy() -> None:
    records = [{"step": 1, "train_loss": 5.0}, {"step": 100, "train_loss": 2e-4, "val_loss": None}]
    lines = plain(draw(records, 48, 8, braille=False))
    assert "loss by step" in lines[0]
    assert lines[1].startswith(" 1e+01|")
    assert lines[5].startswith(" 1e-04|")
    assert draw([{"step": 1, "train_loss": 0.0}], 50, 8, braille=False)


def test_the_axis_reaches_to_the_step_that_is_to_come() -> None:
    lines = plain(draw([record(1, 0.5), record(10, 0.5)], 60, 8, last_step=10_000, braille=False))
    assert lines[-1].split() == ["1", "10", "100", "1k", "10k"]
    row = next(line for line in lines[1:6] if "." in line)
    assert row.rindex(".") == 7 + 13  # a quarter of the 53 columns, where 10 stands


@pytest.mark.parametrize(
    "records",
    [[], [record(5)], [record(5, float("nan"), float("inf"))], [{"step": 5, "train_loss": None}]],
)
def test_nothing_to_draw(records: list[dict]) -> None:
    assert draw(records, 80, 12) == []


def test_no_room() -> None:
    assert draw([record(1, 0.5)], MIN_WIDTH - 1, 12) == []
    assert draw([record(1, 0.5)], 80, MIN_HEIGHT - 1) == []


values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(
    rows=st.lists(st.tuples(st.integers(0, 10**9), values, values, values, values), max_size=30),
    width=st.integers(0, 130),
    height=st.integers(0, 30),
    braille=st.booleans(),
    last_step=st.none() | st.integers(0, 10**9),
)
def test_any_records_fit_the_frame(
    rows: list[tuple], width: int, height: int, braille: bool, last_step: int | None
) -> None:
    keys = ("step", "train_accuracy", "val_accuracy", "train_loss", "val_loss")
    records = [dict(zip(keys, row, strict=True)) for row in sorted(rows, key=lambda row: row[0])]
    lines = draw(records, width, height, braille=braille, last_step=last_step)
    assert len(lines) in (0, height)
    assert all(len(line) <= width for line in plain(lines))


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "1"), (999, "999"), (1000, "1k"), (3100, "3.1k"), (10_000, "10k"), (2_000_000, "2M")],
)
def test_short_counts(count: int, shown: str) -> None:
    assert short_count(count) == shown


def test_a_history_does_not_grow_with_the_number_of_evaluations() -> None:
    history = History()
    for step in range(1, 20_000):
        history.evaluation(record(step, step / 20_000, 0.0, weight_norm=1.0))
    kept = history.records
    assert len(kept) <= 200 * math.log10(20_000) + 1
    assert [r["step"] for r in kept] == sorted(r["step"] for r in kept)
    assert kept[0]["step"] == 1
    assert kept[-1] == history.last
    assert history.last["train_accuracy"] == 19_999 / 20_000
