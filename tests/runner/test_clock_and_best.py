"""The clock of a run over several sittings, and which weights are the best."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokkeras.runner.best import Best, score
from grokkeras.runner.clock import RunClock


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def call(clock, time, steps, seconds):
    with clock.training_call(steps):
        time.now += seconds


def test_the_first_call_of_a_sitting_is_left_out():
    time = Time()
    clock = RunClock(time)
    time.now += 3  # the import
    assert clock.steps_per_second is None
    assert clock.training_share is None
    call(clock, time, 1, 5)  # compiles
    assert clock.steps_per_second is None
    call(clock, time, 10, 2)
    time.now += 0.5  # an evaluation
    call(clock, time, 30, 6)
    time.now += 1.5
    assert clock.steps == 40
    assert clock.steps_per_second == pytest.approx(40 / 8)
    assert clock.training_share == pytest.approx(8 / 10)
    assert clock.wall_seconds == pytest.approx(18)


def test_sittings_add_up():
    time = Time()
    clock = RunClock(time)
    call(clock, time, 1, 5)
    call(clock, time, 10, 2)
    time.now += 2
    state = clock.state_dict()
    time.now += 1000  # killed, and taken up again much later

    clock = RunClock(time)
    clock.load_state_dict(state)
    assert clock.training_share == pytest.approx(2 / 4)
    call(clock, time, 5, 7)  # compiles anew
    assert clock.steps_per_second == pytest.approx(10 / 2)
    call(clock, time, 20, 4)
    assert clock.steps_per_second == pytest.approx(30 / 6)
    assert clock.training_share == pytest.approx(6 / 8)
    assert clock.wall_seconds == pytest.approx(9 + 11)


def record(step, accuracy, loss):
    return {"step": step, "val_accuracy": accuracy, "val_loss": loss}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (record(9, 0.5, 9.0), record(1, 0.4, 0.1)),  # accuracy first
        (record(9, 0.5, 1.0), record(1, 0.5, 2.0)),  # then the lower loss
        (record(1, 0.5, 1.0), record(9, 0.5, 1.0)),  # then the earlier step
        (record(9, 0.0, 1.0), record(1, math.nan, 0.5)),
        (record(9, 0.5, 100.0), record(1, 0.5, math.nan)),
    ],
)
def test_the_order_of_the_best(better, worse):
    assert score(better) > score(worse)
    for order in ((better, worse), (worse, better)):
        best = Best()
        for each in order:
            best.offer(each, lambda step=each["step"]: {"w": np.array(step)})
        assert best.step == better["step"]
        assert best.weights == {"w": better["step"]}


def test_the_weights_are_copied_only_when_they_are_better():
    best = Best()
    best.offer(record(1, 0.5, 1.0), lambda: {"w": np.zeros(1)})

    def must_not_be_called():
        raise AssertionError

    best.offer(record(2, 0.4, 1.0), must_not_be_called)
    state = best.state_dict()
    later = Best()
    later.load_state_dict(state, best.weights)
    later.offer(record(2, 0.4, 1.0), must_not_be_called)
    assert later.step == 1
