"""Jacobian alignment beside NumPy, in stock `fit` and in this package's programs."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import BACKENDS

RATE, WEIGHT = 0.5, 0.3


def test_directions_are_units_and_new_each_step(cases):
    first, second = map(np.array, cases["jacobian_linear"]["directions"])
    np.testing.assert_allclose((first**2).sum(1), 1, rtol=1e-5)
    assert abs((first * second).sum(1)).mean() < 0.9
    assert abs(first.mean()) < 0.2


def test_the_jacobian_of_a_linear_model_is_its_kernel(cases):
    case = cases["jacobian_linear"]
    kernel = np.array(case["kernel"], "float64")
    for value, drawn in zip(case["values"], case["directions"], strict=True):
        pulled = np.array(drawn, "float64") @ kernel.T
        expected = np.sqrt(3) * np.sqrt((pulled**2).sum(1)).mean()
        assert value == pytest.approx(expected, rel=1e-5)
    assert case["other_seed"] != case["values"][0]
    assert case["zero"] == pytest.approx(0, abs=1e-12)


def test_the_jacobian_of_an_mlp_by_its_one_hots(cases):
    case = cases["jacobian_quadratic"]
    kernel, bias, head, _ = (np.array(w, "float64") for w in case["weights"])
    x, drawn = np.array(case["x"]), np.array(case["directions"], "float64")
    hidden = kernel[x[:, 0]] + kernel[11 + x[:, 1]] + bias
    pulled = (2 * hidden * (drawn @ head.T)) @ kernel.T
    expected = np.sqrt(11) * np.sqrt((pulled**2).sum(1)).mean()
    assert case["value"] == pytest.approx(expected, rel=1e-5)
    # The mean of the squares is the Frobenius norm's.
    whole = kernel @ np.diag(2 * hidden[0]) @ head
    squares = np.array(case["squares"])
    error = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - (whole**2).sum()) < 4 * error
    assert error < 0.1 * squares.mean()


def test_our_models_give_the_same_answers_through_their_embeddings(cases):
    for name, difference in cases["jacobian_embedded"].items():
        assert difference < 2e-6, name
    assert len(cases["jacobian_embedded"]) == 11


def test_one_step_of_stock_fit_by_hand(cases):
    """Beside plain SGD, the kernel moves by the gradient of sqrt(C) * mean |W v|."""
    case = cases["jacobian_step"]
    kernel = np.array(cases["jacobian_linear"]["kernel"], "float64")
    drawn = np.array(case["directions"], "float64")
    pulled = drawn @ kernel.T
    norms = np.sqrt((pulled**2).sum(1, keepdims=True))
    gradient = np.sqrt(3) * (pulled / norms).T @ drawn / len(drawn)
    moved = np.array(case["kernel"]) - np.array(case["plain_kernel"])
    np.testing.assert_allclose(moved, -RATE * WEIGHT * gradient, rtol=1e-4, atol=1e-6)
    added = WEIGHT * np.sqrt(3) * norms.mean()
    assert case["loss"] == pytest.approx(case["plain_loss"] + added, rel=1e-5)


def test_a_model_not_ours_in_stock_fit(cases):
    plain, aligned = cases["jacobian_foreign"]["0.0"], cases["jacobian_foreign"]["0.3"]
    assert aligned["norm"] < 0.7 * plain["norm"]
    assert aligned["first"] > plain["first"]
    assert aligned["draws"] == 40 * 3
    assert plain["draws"] == 0
    for case in (plain, aligned):
        assert case["finite"]
        # Evaluation knows nothing of the penalty.
        assert case["evaluated"] == pytest.approx(case["plain"], rel=1e-5)


def test_the_wrapper_saves_and_goes_on(cases):
    case = cases["jacobian_foreign"]["saved"]
    assert case == {"weight": 0.3, "seed": 4, "equal": True, "draws": 2, "goes_on": True}


def test_twenty_steps_of_a_program(everywhere):
    reference = everywhere["jax"]["jacobian_twenty_steps"]
    for name in ("transformer", "mlp", "batches"):
        for backend in BACKENDS:
            other = everywhere[backend]["jacobian_twenty_steps"]
            np.testing.assert_allclose(other[name], reference[name], rtol=1e-4, err_msg=name)
    for backend in BACKENDS:
        case = everywhere[backend]["jacobian_twenty_steps"]
        assert case["chunks"]
        # A step's loss is with the penalty, an evaluation's without.
        assert case["mlp"][0] > case["plain"] + 0.01
        assert case["evaluated"] == pytest.approx(case["plain"], rel=1e-5)


def test_refusals(cases):
    said = cases["jacobian_refusals"]
    assert "int32" in said["tokens"]
    assert "embed(inputs)" in said["tokens"]
    assert "one input" in said["two"]
    assert "0 or more" in said["weight"]
