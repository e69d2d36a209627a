"""The forecast: known curves, real curves, and nothing that can break it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting_runs import evaluations, falling, recorded

from grokkeras.detection import Detector
from grokkeras.forecast import Forecast, forecast, forecast_run, points
from grokkeras.forecast.estimate import Calibration, Interval, shipped
from grokkeras.forecast.said import rounded
from grokkeras.forecast.signs import read_signs
from grokkeras.logging.history import History


def only(feature: str, shift: float = 0.0) -> Calibration:
    """Forecasts of one feature as it is, with an interval of a factor of two in the steps left."""
    weights = {"constant": shift, "from_peak": 0.0, "lately": 0.0, "waited": 0.0, feature: 1.0}
    return Calibration(weights, (Interval(1.0, -math.log(2), math.log(2)),), 0.8, 0.1, 0.7)


@pytest.mark.parametrize("feature", ["from_peak", "lately"])
def test_a_straight_fall_is_extended_to_where_it_leads(feature: str) -> None:
    curve = [point for point in falling(100, 3000) if point[0] <= 1500]
    told = forecast(curve, 100, only(feature))
    assert told.made_at == curve[-1][0]
    assert told.step == pytest.approx(3000, rel=0.02)  # the last value is smoothed
    left = told.step - told.made_at
    assert told.low - told.made_at == pytest.approx(left / 2, abs=1)
    assert told.high - told.made_at == pytest.approx(2 * left, abs=1)
    assert "% of its way down" in told.reason


def test_the_weights_are_of_logarithms_of_the_steps_left() -> None:
    curve = [point for point in falling(100, 3000) if point[0] <= 1500]
    plain, twice = (forecast(curve, 100, only("lately", shift)) for shift in (0.0, math.log(2)))
    assert twice.step - twice.made_at == pytest.approx(2 * (plain.step - plain.made_at), abs=2)


def test_the_peak_is_where_the_line_begins() -> None:
    rise = [(step, 2 + step / 100) for step in range(100, 400, 10)]
    fall = [(step, 6 - (step - 400) / 100) for step in range(400, 700, 10)]
    told = forecast([*rise, *fall], 100, only("from_peak"))
    assert told.step == pytest.approx(970, rel=0.05)


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        (lambda step: 5.0, "hardly come down (0 % of its way)"),
        (lambda step: 2 + step / 1000, "hardly come down (0 % of its way)"),
        (lambda step: 5 + (-2 if step // 100 % 2 else 2), "does not fall steadily"),
        (lambda step: 9.0 if step < 300 else 4 + step / 1000, "does not fall steadily"),
    ],
    ids=["flat", "rising", "saw", "fell once"],
)
def test_no_sign(losses: Any, reason: str) -> None:
    told = forecast([(step, losses(step)) for step in range(100, 2001, 10)], 100, only("lately"))
    assert (told.step, told.low, told.high) == (None, None, None)
    assert told.made_at == 2000
    assert reason in told.reason
    assert told.brief() == "no sign of grokking"
    assert told.sentence() == f"no sign of grokking: {told.reason}"


def test_one_evaluation_that_jumps_is_no_fall() -> None:
    curve = [(step, 5.0) for step in range(100, 1000, 10)]
    curve[20] = (curve[20][0], 50.0)
    curve[-1] = (curve[-1][0], 0.5)
    assert forecast(curve, 100, only("lately")).step is None


@pytest.mark.parametrize("curve", [[], [(50, 1.0)], [(100, 1.0)], [(100, 2.0), (110, 1.0)]])
def test_too_little_to_tell(curve: list[tuple[int, float]]) -> None:
    told = forecast(curve, 100)
    assert told.step is None
    assert "too few evaluations" in told.reason
    assert told.made_at == (curve[-1][0] if curve else 100)


def test_a_run_that_does_not_wait_has_no_forecast() -> None:
    rows = evaluations(falling(100, 3000), 1500)
    assert forecast_run(rows, None, None) is None
    assert forecast_run(rows, 100, 1400) is None
    assert forecast_run(rows, 100, None) == forecast(points(rows), 100)


ODD = st.one_of(st.none(), st.booleans(), st.text(max_size=2), st.floats(), st.integers(-5, 10**30))


@given(st.lists(st.fixed_dictionaries({}, optional={"step": ODD, "val_loss": ODD}), max_size=30))
def test_odd_rows_are_left_out(rows: list[dict[str, Any]]) -> None:
    told = forecast_run(rows, 3, None)
    assert told is not None
    json.dumps(told.to_dict(), allow_nan=False)


@given(
    st.lists(st.tuples(st.integers(-3, 10**9), st.floats()), max_size=60),
    st.integers(0, 10**6),
)
def test_any_curve_gives_a_finite_answer(curve: list[tuple[int, float]], memorized: int) -> None:
    check(forecast(curve, memorized), curve)


@given(
    st.integers(1, 1000),
    st.floats(0.3, 1e6),
    st.floats(1.2, 50),
    st.floats(0.05, 1.5),
    st.sampled_from([1e-9, 0.01, 1.0, 1e5, 1e300]),
)
def test_any_fall_gives_a_step_within_its_interval(
    memorized: int, highest: float, longer: float, way: float, scale: float
) -> None:
    reached = math.ceil(memorized * longer) + 5
    until = memorized + way * (reached - memorized)
    curve = [(s, loss * scale) for s, loss in falling(memorized, reached, highest) if s <= until]
    check(forecast(curve, memorized), curve)


def check(told: Forecast, curve: list[tuple[int, float]]) -> None:
    assert told.reason
    assert isinstance(told.made_at, int)
    if told.step is None:
        assert told.low is told.high is None
        return
    last = max(step for step, loss in curve if math.isfinite(loss))
    assert told.made_at <= last
    assert told.made_at < told.low <= told.step <= told.high


def test_what_is_not_finite_or_out_of_order_counts_for_nothing() -> None:
    curve = [point for point in falling(100, 3000) if point[0] <= 1500]
    dirty = [(step, math.nan) for step, _ in curve[::3]] + curve
    dirty.insert(-5, (7, 1e9))
    dirty.insert(-9, (dirty[-10][0], math.inf))
    assert read_signs(dirty, 100) == read_signs(curve, 100)


@pytest.mark.parametrize("run", recorded(), ids=lambda run: run["name"])
def test_a_forecast_rests_on_the_past_alone(run: dict[str, Any]) -> None:
    """What a display tells live is what `show` tells of the file cut there."""
    detector, history, rows = Detector(), History(), []
    for step, loss in run["curve"]:
        groks = run["grokked"] is not None and step >= run["grokked"]
        row = {"step": step, "val_loss": loss, "train_accuracy": float(step >= run["memorized"])}
        rows.append(row)
        history.evaluation(row)
        for event in detector.update(step, row["train_accuracy"], float(groks)):
            history.event(event.to_dict())
        live = history.forecast()
        told = forecast_run(rows, detector.memorization_step, detector.grokking_step)
        assert live == told


@pytest.mark.parametrize(
    "run", [run for run in recorded() if not run["grokked"]], ids=lambda run: run["name"]
)
def test_real_runs_that_never_grok_have_no_sign(run: dict[str, Any]) -> None:
    given = [told for told in asked(run) if told.step is not None]
    assert len(given) <= 0.1 * len(asked(run))


@pytest.mark.parametrize(
    "run", [run for run in recorded() if run["grokked"]], ids=lambda run: run["name"]
)
def test_real_runs_that_grok_are_told_so_beforehand(run: dict[str, Any]) -> None:
    given = [told for told in asked(run) if told.step is not None]
    assert len(given) >= 5
    assert given[0].made_at <= 0.8 * run["grokked"]
    held = [told.low <= run["grokked"] <= told.high for told in given]
    assert sum(held) >= 0.6 * len(held)


def asked(run: dict[str, Any]) -> list[Forecast]:
    """The forecast at every evaluation from 1.5 times the memorization step on."""
    return [
        forecast(run["curve"][: place + 1], run["memorized"])
        for place, (step, _) in enumerate(run["curve"])
        if 1.5 * run["memorized"] <= step < (run["grokked"] or math.inf)
    ]


def test_a_forecast_in_words() -> None:
    told = Forecast(1000, 2345, 1651, 3399, 0.8, "why")
    assert told.brief() == "groks at about 2,300 (80 %: 1,650 to 3,400)"
    assert told.sentence() == "groks at about 2,300 (80 %: 1,650 to 3,400): why"
    assert told.to_dict()["high"] == 3399
    assert [rounded(step) for step in (7, 23, 123, 987, 1049, 98765)] == [
        7,
        23,
        123,
        990,
        1050,
        99000,
    ]


def test_the_shipped_calibration_is_sound() -> None:
    known = shipped()
    assert set(known.weights) == {"constant", "from_peak", "lately", "waited"}
    assert [each.up_to for each in known.intervals] == sorted(e.up_to for e in known.intervals)
    assert known.intervals[-1].up_to == 1
    assert all(each.low < each.high for each in known.intervals)
    assert 0 < known.least_fallen < 1
    assert 0 < known.least_steady < 1


def test_evaluations_after_every_step_are_told_alike_live_and_of_the_file() -> None:
    losses = [(step, 6 - 5 * step / 4000 + 0.2 * math.sin(step)) for step in range(1, 4001)]
    history = History()
    history.event({"event": "memorization", "step": 100})
    for row in evaluations(losses, 4000):
        history.evaluation(row)
    told = history.forecast()
    assert told is not None
    assert told.step is not None
    assert told == forecast(losses, 100)
