"""The fit finds the jump that was put there, and none where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.detection import Curve, fit_jump


def jump(steps, low, high, center, width):
    z = (np.log10(steps) - math.log10(center)) / width
    return np.array([low + (high - low) * 0.5 * math.erfc(-v / math.sqrt(2)) for v in z])


LOG_STEPS = np.unique(np.round(10 ** np.arange(0, 4, 0.01)))


@settings(max_examples=30, deadline=None)
@given(
    low=st.floats(0, 0.4),
    rise=st.floats(0.3, 0.6),
    center=st.floats(60, 3000),
    width=st.floats(0.02, 0.4),
)
def test_an_exact_error_function_is_recovered(low, rise, center, width):
    values = jump(LOG_STEPS, low, low + rise, center, width)
    fit = fit_jump(LOG_STEPS, values, min_rise=0.1)
    assert fit is not None
    # Of a slow rise near the last step too little is seen to tell its height.
    if center * 10 ** (2 * width) < LOG_STEPS[-1]:
        assert math.log10(fit.center_step / center) == pytest.approx(0, abs=0.02)
        assert fit.width_decades == pytest.approx(width, rel=0.1)
        assert (fit.low, fit.high) == pytest.approx((low, low + rise), abs=0.02)
    assert fit.r_squared > 0.99


def test_noise_and_order_do_not_move_it():
    rng = np.random.default_rng(0)
    values = jump(LOG_STEPS, 0.02, 0.99, 700, 0.1) + rng.normal(0, 0.03, len(LOG_STEPS))
    order = rng.permutation(len(LOG_STEPS))
    fit = fit_jump(LOG_STEPS[order], values[order])
    assert fit is not None
    assert fit.center_step == pytest.approx(700, rel=0.03)
    assert fit.width_decades == pytest.approx(0.1, rel=0.15)


def test_evaluations_at_every_epoch_and_log_spaced_give_one_answer():
    linear = np.arange(10, 5001, 10)
    fits = [fit_jump(s, jump(s, 0.0, 1.0, 400, 0.15)) for s in (linear, LOG_STEPS)]
    assert fits[0]
    assert fits[1]
    assert fits[0].center_step == pytest.approx(fits[1].center_step, rel=0.01)
    assert fits[0].width_decades == pytest.approx(fits[1].width_decades, rel=0.05)


def test_a_step_between_two_evaluations_is_placed_between_them():
    fit = fit_jump(LOG_STEPS, np.where(LOG_STEPS < 500, 0.1, 1.0))
    assert fit is not None
    assert 480 < fit.center_step < 510
    assert fit.width_decades < 0.02


def test_a_run_that_stops_halfway_up_is_given_no_height_it_never_had():
    steps = LOG_STEPS[LOG_STEPS < 800]
    fit = fit_jump(steps, jump(steps, 0.0, 1.0, 700, 0.1))
    assert fit is None or fit.high <= jump(steps, 0.0, 1.0, 700, 0.1).max() + 1e-9


@pytest.mark.parametrize(
    "values",
    [
        np.full(len(LOG_STEPS), 0.3),
        np.linspace(0.3, 0.35, len(LOG_STEPS)),
        np.random.default_rng(1).uniform(0, 1, len(LOG_STEPS)),
        1 - jump(LOG_STEPS, 0.0, 1.0, 300, 0.1),
        np.linspace(0.0, 1.0, len(LOG_STEPS)),
        np.full(len(LOG_STEPS), np.nan),
        np.sin(LOG_STEPS),
    ],
    ids=["flat", "drift", "noise", "fall", "ramp", "nan", "wave"],
)
def test_no_jump(values):
    assert fit_jump(LOG_STEPS, values) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6) | st.just(math.nan)), max_size=30)
)
def test_never_fails_and_never_gives_what_is_no_number(points):
    fit = fit_jump([s for s, _ in points], [v for _, v in points], min_r_squared=-math.inf)
    if fit is not None:
        assert all(map(math.isfinite, (fit.center_step, fit.width_decades, fit.r_squared)))
        assert fit.width_decades > 0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one length"):
        fit_jump([1, 2], [1])


def test_a_curve_stays_small_and_keeps_the_early_points():
    curve = Curve(points_per_decade=100)
    curve.add(0, 1.0)
    for step in range(1, 100_001):
        curve.add(step, math.nan if step == 5 else step / 7)
    assert curve.steps[:5] == [1, 2, 3, 4, 6]
    assert 300 < len(curve.steps) <= 501
    assert all(v == s / 7 for s, v in zip(curve.steps, curve.values, strict=True))
