"""Schedules of a configuration, on every backend: see `cases_varying.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="module")
def results():
    return run_everywhere(Path(__file__).with_name("cases_varying.py"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_change_equals_a_restart_with_the_other_value(results, backend):
    assert results[backend]["equals a restart"] > 1e-4
    assert results[backend]["muon"] is True


@pytest.mark.parametrize("backend", BACKENDS)
def test_neither_a_change_nor_an_event_compiles_the_step_anew(results, backend):
    found = results[backend]["no retrace"]
    assert found["at first"] > 0
    assert found["later"] == (16 if backend == "torch" else 0)
    assert found["values"] == {
        "learning_rate": 0.01,
        "weight_decay": 3.0,
        "dropout_rate": pytest.approx(0.09, rel=1e-5),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_switches_at_the_evaluation_that_confirms_the_event(results, backend):
    found = results[backend]["switches where confirmed"]
    assert found["following"] == found["confirmed"] + 1
    assert found["dropout layers"] == ["Dropout"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_feedback_sees_the_present_weights(results, backend):
    first, last = results[backend]["holds the norm"]
    assert 3.0 < last < first


@pytest.mark.parametrize("backend", BACKENDS)
def test_schedules_of_callbacks(results, backend):
    decay, dropout, *twice = results[backend]["callbacks"]
    assert all("both vary the weight decay" in message for message in twice)
    assert len(twice) == 2
    assert decay.startswith("WeightDecayScheduler has a plain Python callable")
    assert dropout.startswith("DropoutScheduler has a plain Python callable")
    assert "grokkeras.run makes several steps in one call" in decay


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_constant_dropout_rate_is_a_constant_schedule(results, backend):
    found = results[backend]["constant dropout"]
    assert found["losses"][0] == found["losses"][1]
    assert found["bare"] == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_optimizer_follows(results, backend):
    found = results[backend]["every optimizer"]
    for name, case in found.items():
        assert case["values"]["learning_rate"] == 0.0, name
        assert case["values"]["weight_decay"] == 2.0, name
        if "float16" not in name:
            assert case["moved"] == 0.0, name


@pytest.mark.parametrize("backend", BACKENDS)
def test_groups_of_weights_decay_by_numbers_and_schedules_of_their_own(results, backend):
    found = results[backend]["groups"]
    expected = {"embedding": 0.0, "head": 2e-3}
    assert len(found["shares"]) == 3
    for path, share in found["shares"].items():
        own = next((value for name, value in expected.items() if name in path), 3e-3)
        assert share == pytest.approx(own, rel=0.05, abs=2e-5), path
    assert found["recorded"] == [3e-3, 0.5]
    assert "'no_such_weight' matches no weight" in found["refused"]
