"""Schedules without a backend: arguments, configuration, bounds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import schedule_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from grokkeras import schedules
from grokkeras.errors import UserError
from grokkeras.schedules import SCHEDULES, Schedule, make_schedule


def test_every_schedule_has_a_case():
    assert set(cases.EXAMPLES) == set(SCHEDULES.names())
    assert {name for name, *_ in cases.REFUSED} == set(SCHEDULES.names())


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_round_trip_through_the_configuration(name):
    made = cases.example(name)
    config = made.get_config()
    assert config["schedule"] == name
    for again in (
        make_schedule(config),
        Schedule.from_config(config),
        type(made).from_config(config),
        type(made).from_config({k: v for k, v in config.items() if k != "schedule"}),
    ):
        assert again == made
        assert hash(again) == hash(made)
        assert repr(again) == repr(made)
        assert again.get_config() == config
    assert made.get_config() is not config


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_the_configuration_is_plain_data(name):
    import yaml

    config = cases.example(name).get_config()
    assert yaml.safe_load(yaml.safe_dump(config)) == config


@pytest.mark.parametrize(("name", "arguments", "words"), cases.REFUSED)
def test_bad_arguments_are_refused(name, arguments, words):
    with pytest.raises(UserError) as caught:
        make_schedule({"schedule": name, **cases.EXAMPLES[name][0], **arguments})
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("cosine", ("A schedule is a finite number, or a schedule", "'cosine'")),
        ({"start": 1.0}, ("the key 'schedule'", "cosine")),
        ({"schedule": 3}, ("the key 'schedule'",)),
        ({"schedule": "linaer"}, ("Did you mean 'linear'?", "cyclic")),
        ({"schedule": "linear", "start": 1, "stop": 0, "steps": 5}, ("no argument 'stop'",)),
        ({"schedule": "linear", "start": 1, "end": 0, "step": 5}, ("Did you mean 'steps'?",)),
        (None, ("received None",)),
        (lambda step: 1.0, ("received <function",)),
    ],
)
def test_what_is_no_schedule_is_refused(value, words):
    with pytest.raises(UserError) as caught:
        make_schedule(value)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_class_makes_only_its_own_kind():
    with pytest.raises(UserError, match=r"Cosine\.from_config received a schedule 'linear'"):
        schedules.Cosine.from_config({"schedule": "linear", "start": 1, "end": 0, "steps": 5})


def test_numbers_of_numpy_become_pythons():
    made = schedules.Cosine(np.float32(0.5), np.int64(0), steps=np.float64(5e3))
    assert made == schedules.Cosine(0.5, 0.0, steps=5000)
    assert [type(v) for v in (made.start, made.end, made.steps)] == [float, float, int]
    pieces = schedules.Piecewise(np.array([3, 6]), np.array([0.0, 1.0, 2.0]))
    assert pieces == schedules.Piecewise([3, 6], [0, 1, 2])
    assert pieces.get_config()["boundaries"] == [3, 6]


def test_is_immutable():
    with pytest.raises(AttributeError):
        schedules.Constant(1.0).value = 2.0


def test_says_what_it_needs():
    nested = schedules.OnEvent(
        "grokking", schedules.OnEvent("plateau", 1.0, 2.0), schedules.HoldNorm(3.0)
    )
    assert nested.needs_events == ("grokking", "plateau")
    assert nested.needs_context == ("learning_rate", "weight_norm")
    assert schedules.Cosine(1.0, 0.0, steps=5).needs_events == ()
    assert schedules.WithLearningRate(nested, 0.1).needs_events == ("grokking", "plateau")


def test_what_it_needs_and_does_not_get_is_an_error():
    with pytest.raises(UserError, match=r"event memorization: pass events="):
        schedules.OnEvent("memorization", 0.0, 1.0)(3)
    with pytest.raises(UserError, match="learning_rate and weight_norm"):
        schedules.HoldNorm(1.0)(3)


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_values_lie_within_the_bounds(name):
    low, high = cases.example(name).bounds()
    values = cases.EXAMPLES[name][1].values()
    assert low <= min(values)
    assert max(values) <= high


numbers = st.floats(-100, 100)


@given(st.lists(numbers, min_size=2, max_size=5), st.integers(1, 50))
def test_bounds_of_parts_are_those_of_the_whole(values, steps):
    parts = [values[0], schedules.Linear(values[0], values[1], steps), *values[2:]]
    whole = schedules.Piecewise(list(range(1, len(parts))), parts)
    assert whole.bounds() == (min(values), max(values))
    assert schedules.OnEvent("grokking", values[0], whole).bounds() == whole.bounds()
    assert schedules.WarmUp(steps, whole, start=values[0]).bounds() == whole.bounds()


def test_making_one_imports_no_backend():
    code = (
        "import sys; from grokkeras import schedules as s; "
        "s.OnEvent('grokking', s.Cosine(1, 0, 5), 2).get_config(); "
        "assert not {'keras', 'numpy', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
