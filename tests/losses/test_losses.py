"""Losses beside NumPy in float64, on each backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

FILE = Path(__file__).with_name("cases_losses.py")
NAMES = ("cross_entropy", "mse")
RNG = np.random.default_rng(0)
LOGITS = (RNG.standard_normal((6, 5)) * 4).astype("float32").astype("float64")
LABELS = np.array([0, 4, 2, 2, 1, 3])
ONE_HOT = np.eye(5)[LABELS]


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(FILE)


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


def by_hand(name, logits, one_hot=ONE_HOT):
    """(examples,)"""
    if name == "mse":
        return ((logits - one_hot) ** 2).mean(1)
    largest = logits.max(1, keepdims=True)
    return np.log(np.exp(logits - largest).sum(1)) + largest[:, 0] - (logits * one_hot).sum(1)


def gradient_by_hand(name, logits):
    """Of the mean over the examples."""
    if name == "mse":
        return 2 * (logits - ONE_HOT) / logits.size
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return (shares / shares.sum(1, keepdims=True) - ONE_HOT) / len(logits)


def test_every_registered_loss_is_tested(cases):
    assert cases["names"] == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_values(cases, name):
    found, expected = cases["values"][name], by_hand(name, LOGITS)
    np.testing.assert_allclose(found["each"], expected, rtol=1e-5, atol=1e-6)
    assert found["column"] == found["each"] == found["int64"]
    assert found["mean"] == pytest.approx(expected.mean(), rel=1e-5)
    assert found["mean_column"] == found["mean"]


@pytest.mark.parametrize("name", NAMES)
def test_gradients(cases, name):
    np.testing.assert_allclose(
        cases["gradients"][name], gradient_by_hand(name, LOGITS), rtol=1e-4, atol=1e-7
    )


def test_softmax_collapse_is_exactly_zero(cases):
    case = cases["collapse"]
    assert case["far"] == [0] * 6
    # PyTorch keeps exp(-100), a denormal number; the others make 0 of it.
    assert case["far_gradient"] < 1e-38
    # Short of it, a loss that is small, and a gradient.
    assert all(0 < value < 1e-5 for value in case["near"]), case["near"]
    assert case["near_gradient"] > 0


def test_logits_past_the_range_of_exp(cases):
    case = cases["extreme"]
    assert case["values"] == pytest.approx([0, 6e4])
    assert case["finite_gradient"]
    assert case["nan"]


def test_reductions_and_sample_weights(cases):
    case, expected = cases["reductions"], by_hand("cross_entropy", LOGITS)
    np.testing.assert_allclose(case["none"], expected, rtol=1e-5, atol=1e-6)
    assert case["sum"] == pytest.approx(expected.sum(), rel=1e-5)
    weighted = (expected * case["weights"]).mean()
    assert case["weighted"] == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_logits_are_compared_in_float32(cases, name):
    case = cases["dtypes"][name]
    assert case["dtype"] == "float32"
    assert case["each"] == case["expected"]


@pytest.mark.parametrize("shape", ["flat", "column"])
@pytest.mark.parametrize("name", NAMES)
def test_in_stock_compile(cases, name, shape):
    case = cases["compiled"][f"{name} {shape}"]
    assert case["before"] == pytest.approx(case["expected"], rel=1e-4)
    assert case["last"] < 0.9 * case["first"]
    assert case["accuracy"] > 0.5


@pytest.mark.parametrize("name", NAMES)
def test_serialises(cases, name):
    case = cases["serialised"][name]
    assert case["class"]
    assert case["config"]
    assert case["name"] == "mine"
    assert case["value"][0] == case["value"][1]


def test_made_from_a_configuration(cases):
    assert cases["config"] == dict.fromkeys(NAMES, True)


@pytest.mark.parametrize("name", NAMES)
def test_float64_values(cases, name):
    """To the last digits, logits of float64 included."""
    case = cases["float64"]
    assert case[name]["dtype"] == "float64"
    expected = by_hand(name, np.array(case["logits"]))
    np.testing.assert_allclose(case[name]["each"], expected, rtol=1e-13, atol=1e-14)


def test_float64_sees_what_float32_rounds_away(cases):
    case = cases["float64"]
    # log(1 + 4 exp(-25))
    assert case["near"] == pytest.approx([np.log1p(4 * np.exp(-25.0))] * 6, rel=1e-3)
    expected = (np.exp(-25.0) * (1 - ONE_HOT) - 4 * np.exp(-25.0) * ONE_HOT) / 6
    np.testing.assert_allclose(case["near_gradient"], expected, rtol=1e-3, atol=0)
    assert "float64" in case["serialised"]
