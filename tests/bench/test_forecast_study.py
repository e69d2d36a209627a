"""The study that calibrates the forecast: what it learns from, what it asks, and what it counts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.studies import forecast as study
from benchmarks.studies import forecast_grid as grid
from benchmarks.studies.forecast_fit import Answer, Case, answer, fit, moments
from grokkeras.forecast import Forecast
from grokkeras.forecast.estimate import shipped
from grokkeras.forecast.signs import read_signs

REPO = Path(__file__).parents[2]


def case(grokked: int | None, group: str = "g", last: int = 4000, peak: int = 400) -> Case:
    """The loss rises to `peak` and falls in a straight line to 0.3 at `grokked`; or rises on."""
    curve = []
    for step in sorted({round(10 ** (k / 40)) for k in range(150)}):
        if step <= (last if grokked is None else min(last, grokked)):
            way = 0.0 if grokked is None else max(0.0, (step - peak) / (grokked - peak))
            curve.append((step, (2 + min(step, peak) / 100) * (1 - way) + 0.3 * way))
    return Case("s", group, 0, False, 100, grokked, last, curve)


def test_groups_are_left_out_whole_and_all_have_the_same_variants() -> None:
    made = grid.settings()
    assert len(made) == len(grid.GROUPS) * len(grid.VARIANTS) >= 110
    assert set(grid.LEFT_OUT) < set(grid.GROUPS)
    assert {grid.group_of(name) for name in made} == set(grid.GROUPS)
    assert {grid.group_of("add 59 mlp few"), grid.group_of("add 59 transformer few")} == {
        "add 59 mlp",
        "add 59 transformer",
    }
    doomed = [name for name in made if grid.hopeless(name)]
    assert len(doomed) == len(grid.HOPELESS) * len(grid.GROUPS)
    assert made["S4 mlp no decay"]["optimizer"]["weight_decay"] == 0


def test_a_run_is_asked_only_while_it_waits_and_of_what_came_before() -> None:
    groks = case(1000)
    asked = list(moments(groks, (0.5, 1, 1.5, 3, 5, 9.9, 10, 20)))
    assert [each.factor for each in asked] == [1.5, 3, 5, 9.9]
    assert all(100 < each.step <= each.factor * 100 for each in asked)
    for each in asked:
        past = [point for point in groks.curve if point[0] <= each.step]
        assert each.signs == read_signs(past, 100)
    assert [each.factor for each in moments(case(None), (5, 40, 41))] == [5, 40]


@pytest.mark.parametrize(
    ("grokked", "hopeless", "high", "covered", "alarm"),
    [
        (1000, False, 1200, True, False),
        (1000, False, 900, False, False),
        (None, False, 3000, False, True),
        (None, False, 9000, False, False),
        (None, True, 9000, False, True),
        (None, True, None, False, False),
    ],
)
def test_what_counts_as_held_and_as_a_false_alarm(
    grokked: int | None, hopeless: bool, high: int | None, covered: bool, alarm: bool
) -> None:
    known = Case("s", "g", 0, hopeless, 100, grokked, 4000, case(grokked).curve)
    moment = next(moments(known, [5]))
    told = Forecast(500, high and 700, high and 600, high, 0.8, "")
    assert (Answer(moment, told).covered, Answer(moment, told).false_alarm) == (covered, alarm)


def test_what_is_fitted_to_straight_falls_foretells_others() -> None:
    seen = [case(g, f"g{g % 3}", peak=p) for g in (900, 1500, 2200, 3100) for p in (150, 300, 400)]
    seen += [case(None, f"g{k}") for k in range(3)]
    calibration, shares = fit(seen)
    assert shares["false_alarms"] == 0
    assert shares["told"] > 0.3
    unseen = case(2600, "new", peak=250)
    told = [answer(each, calibration).told for each in moments(unseen, (15, 20))]
    assert all(each.step for each in told)
    assert all(abs(math.log((each.step or 1) / 2600)) < math.log(1.3) for each in told)
    assert all(answer(m, calibration).told.step is None for m in moments(case(None), (5, 20)))


def test_the_guesses_beside_it_do_not_know_the_own_group() -> None:
    seen = [case(600, "a"), case(900, "a"), case(2000, "b"), case(3000, "b")]
    moment = next(moments(case(1000, "a"), [5]))
    each = Answer(moment, Forecast(500, 700, 600, 900, 0.8, ""))
    assert study.median_step(each, seen) == 2500
    assert study.median_of_waiting(each, seen) == 2500
    moment = next(moments(case(2900, "b"), [8]))
    each = Answer(moment, Forecast(800, 900, 850, 990, 0.8, ""))
    assert study.median_of_waiting(each, seen) == 900
    assert study.median_step(each, seen) == moment.step + 1


def test_what_is_shipped_is_what_the_record_tells() -> None:
    rows = json.loads((REPO / study.ROWS).read_text(encoding="utf-8"))
    seen = [row for row in rows if not row["left_out"] and row["memorized"] is not None]
    written = json.loads((REPO / study.CALIBRATION).read_text(encoding="utf-8"))
    assert written["fitted"]["runs"] == len(seen)
    assert len(rows) >= 110
    assert {row["setting"] for row in rows} == set(grid.settings())
    given = [told for row in rows for told in row["told"].values() if told[0] is not None]
    assert all(low <= step <= high for step, low, high in given)
    assert shipped().coverage == 0.8
