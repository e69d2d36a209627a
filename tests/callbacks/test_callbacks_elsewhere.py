"""Callbacks in stock `fit` of models that are not like ours: see `cases_callbacks.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(Path(__file__).with_name("cases_callbacks.py"))


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


def test_validation_that_is_rare_is_not_lost(cases):
    steps = cases["rare_validation"]
    assert steps["validation"] == list(range(10, 301, 10))
    assert len(steps["train"]) > 120


def test_validation_in_listed_epochs(cases):
    assert cases["listed_validation"] == 3


def test_a_model_of_one_column_has_no_softmax_to_collapse(cases):
    names, scale, highest = cases["one_column"]
    assert "logit_scale" in names
    assert "softmax_collapse" not in names
    assert scale == pytest.approx(highest, rel=1e-5)


def test_gradients_are_of_the_loss_that_fit_takes(cases):
    norms = cases["aligned"]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)
    assert norms[2] == pytest.approx(norms[3], rel=1e-5)
    assert min(norms) > 0


def test_measures_of_one_model_are_not_told_of_another(cases):
    first, second, the_same_model = cases["values_of_another_model"]
    assert len(first) == len(second) == 1
    assert first != second
    assert the_same_model


def test_a_metric_that_is_an_array(cases):
    names, told, refusal = cases["vectors"]
    assert "loss" in names
    assert "f1_score" not in names
    assert len(told) == 2  # of training and of validation
    assert "'f1_score' is an array of shape (3,)" in refusal


def test_two_accuracies_are_two_curves(cases):
    assert {"accuracy", "measures/binary_accuracy"} <= set(cases["two_accuracies"])


def test_an_optimizer_that_is_never_stepped_is_said_once(cases):
    (said,) = cases["no_steps"]
    assert "stayed 0" in said


def test_an_export_that_fails_ends_no_training(cases):
    epochs, said, state, blind = cases["export"]
    assert epochs == 4
    assert len(said) == 1
    assert state == {"done": True, "own": None}
    assert "needs inputs=x" in blind


def test_the_largest_seed(cases, everywhere):
    shape, noise = cases["seeds"]
    assert shape == [2, 7]
    np.testing.assert_allclose(noise, everywhere["jax"]["seeds"][1], rtol=1e-5)
    assert noise[0] != noise[1]
