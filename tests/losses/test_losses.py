"""Losses beside NumPy in float64, on each backend."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import BACKENDS

from grokkeras.config.fields import variants

NAMES = ("cross_entropy", "mse", "stablemax")
RNG = np.random.default_rng(0)
LOGITS = (RNG.standard_normal((6, 5)) * 4).astype("float32").astype("float64")
LABELS = np.array([0, 4, 2, 2, 1, 3])
ONE_HOT = np.eye(5)[LABELS]


def by_hand(name, logits, one_hot=ONE_HOT):
    """(examples,)"""
    if name == "mse":
        return ((logits - one_hot) ** 2).mean(1)
    if name == "stablemax":
        shares = stable_weights(logits)
        return np.log(shares.sum(1)) - np.log((shares * one_hot).sum(1))
    largest = logits.max(1, keepdims=True)
    return np.log(np.exp(logits - largest).sum(1)) + largest[:, 0] - (logits * one_hot).sum(1)


def stable_weights(logits):
    """s(z) of Prieto et al. 2025."""
    return np.where(logits >= 0, logits + 1, 1 / (1 - np.minimum(logits, 0)))


def gradient_by_hand(name, logits):
    """Of the mean over the examples."""
    if name == "mse":
        return 2 * (logits - ONE_HOT) / logits.size
    if name == "stablemax":
        shares = stable_weights(logits)
        slope = np.where(logits >= 0, 1.0, shares**2)  # 1 / (1 - z) has the slope 1 / (1 - z)^2
        each = 1 / shares.sum(1, keepdims=True) - ONE_HOT / shares
        return each * slope / len(logits)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return (shares / shares.sum(1, keepdims=True) - ONE_HOT) / len(logits)


def test_every_registered_loss_is_tested(cases):
    assert cases["names"] == sorted(NAMES) == sorted(variants("loss"))


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


def test_smoothed_labels(cases):
    case = cases["smoothed"]
    target = 0.8 * ONE_HOT + 0.2 / 5
    log_sum = by_hand("cross_entropy", LOGITS) + (LOGITS * ONE_HOT).sum(1)
    np.testing.assert_allclose(case["each"], log_sum - (LOGITS * target).sum(1), rtol=1e-5)
    shares = np.exp(LOGITS - log_sum[:, None])
    np.testing.assert_allclose(case["gradient"], (shares - target) / 6, rtol=1e-4, atol=1e-7)
    assert case["mean"] == pytest.approx(case["keras"], rel=1e-6)
    assert case["again"]


def test_a_share_of_the_label_is_below_1(cases):
    assert set(cases["refusals"]) == {"-0.1", "1.0"}


def test_stablemax_at_its_corner_and_far_from_it(cases):
    case = cases["stablemax"]
    assert case["zero"] == pytest.approx([np.log(5)] * 6)
    np.testing.assert_allclose(case["zero_gradient"], (1 / 5 - ONE_HOT) / 6, rtol=1e-6)
    ones = (1 / 10 - ONE_HOT / 2) / 6  # s(1) = 2
    np.testing.assert_allclose(case["one_gradient"], ones, rtol=1e-6)
    far = (2 * ONE_HOT - 1) * 1e6
    assert case["far"] == pytest.approx([4 / (1e6 + 1) ** 2] * 6, rel=1e-5)
    wrong, right = 1 / (1e6 + 1), 1e6 + 1
    others = wrong**2 / (right + 4 * wrong)
    answer = -4 * wrong / right / (right + 4 * wrong)
    expected = np.where(ONE_HOT == 1, answer, others) / 6
    assert far.shape == expected.shape
    np.testing.assert_allclose(case["far_gradient"], expected, rtol=1e-4, atol=0)


def test_twenty_steps_are_equal_on_three_backends(everywhere):
    for name, losses in everywhere["jax"]["twenty_steps"].items():
        assert losses[-1] < 0.95 * losses[0], name
        for backend in BACKENDS:
            other = everywhere[backend]["twenty_steps"][name]
            np.testing.assert_allclose(other, losses, rtol=1e-4, err_msg=f"{backend} {name}")


def test_collapse_is_measured_on_the_softmax_whatever_the_loss(cases):
    stable, soft = (cases["collapse_is_of_the_softmax"][n] for n in ("stablemax", "cross_entropy"))
    # Of the right answers, nearly all: a wrong one has a gradient, however far apart logits are.
    assert 0 < 0.9 * stable["accuracy"] < stable["softmax_collapse"] <= stable["accuracy"]
    for key in ("softmax_collapse", "logit_scale", "accuracy"):
        assert stable[key] == soft[key]
    assert stable["loss"] != soft["loss"]


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
    shared = (expected * case["weights"]).sum() / np.sum(case["weights"])
    assert case["shared"] == pytest.approx(shared, rel=1e-5)


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
