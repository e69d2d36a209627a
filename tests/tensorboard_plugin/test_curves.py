"""Which curve a tag is, and the points that the page gets."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.tensorboard_plugin.curves import columns, once_a_step, thin, value_at
from grokkeras.tensorboard_plugin.names import CurveName, curve_name


@pytest.mark.parametrize(
    ("event_run", "tag", "expected"),
    [
        ("seed-0/tensorboard/train", "accuracy", ("seed-0", "train", "accuracy")),
        ("seed-0/tensorboard/validation", "loss", ("seed-0", "val", "loss")),
        ("seed-0/tensorboard/train", "measures/weight_norm", ("seed-0", "train", "weight_norm")),
        ("train", "learning_rate", ("", "train", "learning_rate")),
        (".", "val_accuracy", ("", "val", "accuracy")),
        # Keras' own TensorBoard callback.
        ("logs/train", "epoch_loss", ("logs", "train", "loss")),
        ("logs/validation", "epoch_sparse_categorical_accuracy", ("logs", "val", "accuracy")),
        # One run with both splits, as many hand-written loops have it.
        ("mine", "train/loss", ("mine", "train", "loss")),
        ("mine", "val_acc", ("mine", "val", "accuracy")),
        ("a\\tensorboard\\train", "loss", ("a", "train", "loss")),
        ("mine", "train", ("mine", "train", "train")),
    ],
)
def test_curve_name(event_run, tag, expected):
    assert curve_name(event_run, tag) == CurveName(*expected)


@pytest.mark.parametrize(
    ("event_run", "tag", "exact"),
    [
        ("mine/validation", "accuracy", True),
        ("mine/test", "accuracy", False),
        (".", "test_accuracy", False),
        (".", "val_acc", False),
        (".", "val_accuracy", True),
    ],
)
def test_a_name_that_stands_in_for_another(event_run, tag, exact):
    assert curve_name(event_run, tag).exact == exact


def test_the_point_that_was_written_last_wins():
    points = [
        SimpleNamespace(step=step, value=value, wall_time=time)
        for step, value, time in [(2, 0.2, 20.0), (1, 0.1, 10.0), (2, 0.9, 30.0), (2, 0.5, 25.0)]
    ]
    assert once_a_step(points) == ([1, 2], [0.1, 0.9])


rising = st.lists(st.integers(0, 10**7), min_size=1, max_size=300, unique=True).map(sorted)


@given(rising, st.integers(2, 60))
def test_thinning_keeps_the_ends_the_order_and_the_pairs(steps, most):
    values = [float(step) for step in steps]
    kept, kept_values = thin(steps, values, most)
    assert kept == [int(value) for value in kept_values] == sorted(set(kept))
    assert set(kept) <= set(steps)
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])
    assert len(kept) <= most + 1


def test_thinning_is_even_on_a_log_axis():
    steps, _ = thin(range(1, 100_001), [0.0] * 100_000, 51)
    decades = [sum(10**k <= step < 10 ** (k + 1) for step in steps) for k in range(5)]
    assert min(decades[1:]) >= 8
    assert max(decades) <= 11


def test_columns_are_short_and_finite():
    assert columns([1, 2, 3], [1 / 3, math.nan, math.inf], 10) == [[1, 2, 3], [0.33333, None, None]]


def test_value_at():
    assert value_at([1, 5, 9], [0.1, 0.5, 0.9], 5) == 0.5
    assert value_at([1, 5, 9], [0.1, 0.5, 0.9], 6) is None
    assert value_at([], [], 6) is None
