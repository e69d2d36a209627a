"""Programs, many steps in one call, on each backend and between them."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

FILE = Path(__file__).with_name("cases_programs.py")
CHANCE = math.log(11)


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(FILE)


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


@pytest.mark.parametrize("mode", ["full", "dropout", "minibatch"])
def test_n_steps_in_one_call_are_n_calls_of_one_step(cases, mode):
    case = cases[f"chunks {mode}"]
    assert all(case["same"].values()), case["same"]
    assert len(case["same"]) >= 4
    assert case["moved"]
    assert case["step"] == 12
    assert (case["dtype"], case["shape"]) == ("float32", [12])


@pytest.mark.parametrize("mode", ["full", "minibatch"])
def test_backends_agree(everywhere, mode):
    curves = {b: everywhere[b][f"chunks {mode}"]["losses"] for b in BACKENDS}
    for one, two in itertools.combinations(BACKENDS, 2):
        np.testing.assert_allclose(curves[one], curves[two], rtol=1e-5)


def test_another_program_goes_on_with_the_same_bits(cases):
    """Weights, optimizer and the seeds of the dropout masks are in `arrays`."""
    case = cases["fresh"]
    assert case["groups"] == ["optimizer", "state", "weights"]
    assert case["differs"]
    assert case["seeds_moved"]
    assert case["taken"]
    assert case["resumed"]


def test_the_same_configuration_trains_to_the_same_bits(cases):
    assert cases["fresh"]["repeated"]


@pytest.mark.parametrize("mode", ["full", "dropout"])
def test_compiling_beforehand_changes_nothing(cases, mode):
    case = cases[f"prepared {mode}"]
    assert case["same"]
    assert case["losses"] == case["without"]
    assert case["step"] == 5
    assert case["compiled"] == 3  # the step, and an evaluation a split


def test_no_steps(cases):
    assert cases["no_steps"] == {"shape": [0], "dtype": "float32", "step": 0, "same": True}


def test_dropout_masks_differ_by_step_and_are_off_in_evaluation(cases):
    case = cases["dropout"]
    assert len(set(case["losses"])) == 6
    assert case["evaluated"][0] == case["evaluated"][1]
    assert case["evaluated"][0] == pytest.approx(case["without"], rel=1e-6)
    assert case["without"] not in case["losses"]


def test_state_and_keras_model(cases):
    case = cases["state"]
    assert case["model_equal"]
    assert case["iterations"] == 3
    assert case["loss"] != pytest.approx(CHANCE, rel=1e-3)
    # All weights zero: every answer is as likely.
    assert case["zeroed"] == pytest.approx(CHANCE, rel=1e-6)
    assert case["weights"] == [0, 0, 0, 0]
    assert case["only"] == ["weights"]


def test_arrays_are_copies(cases):
    assert cases["state"]["copies"]


def test_gradients_of_a_token_that_repeats_add_up(everywhere):
    """On TensorFlow Keras' Adam would square the rows of a sparse gradient one by one."""
    trained = {b: everywhere[b]["duplicates"] for b in BACKENDS}
    for one, two in itertools.combinations(BACKENDS, 2):
        for first, second in zip(trained[one], trained[two], strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["full", "minibatch", "embedded"])
def test_gradient_norm(cases, name):
    ours, expected = cases["gradient_norm"][name]
    assert ours == pytest.approx(expected, rel=1e-5)


def test_gradient_norm_leaves_the_state_alone(cases):
    """Dropout's generator too."""
    assert cases["gradient_norm"]["looked at"]


def test_evaluate_gives_what_numpy_gives(cases):
    case = cases["evaluate"]
    assert 0.1 < case["numpy"]["accuracy"] < 0.9
    # In one batch, in three of unequal size, and example by example.
    assert len(case["ours"]) == 3
    for means in case["ours"]:
        assert means == pytest.approx(case["numpy"], rel=1e-5)


def test_evaluate_counts_examples_without_loss(cases):
    ours, expected = cases["evaluate"]["collapsed"]
    assert 0.2 < expected < 0.999
    # One example may lie on the edge, where the order of a sum decides.
    assert ours == pytest.approx(expected, abs=1.5 / 60)


def test_forgotten_data_are_not_evaluated_again(cases):
    ours, expected = cases["evaluate"]["forgotten"]
    assert ours == pytest.approx(expected)


def test_a_steps_loss_is_that_before_its_update(cases):
    evaluated, stepped = cases["evaluate"]["first_loss"]
    assert stepped == pytest.approx(evaluated, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("bfloat16, beta_2 0.98", "bfloat16"),
        ("mixed_bfloat16", "float32"),
        ("mixed_float16", "float32"),
        ("float64", "float64"),
    ],
)
def test_precisions_train(cases, name, weights):
    case = cases[f"trains {name}"]
    assert case["dtypes"] == [weights]
    assert case["first"] > 0.95 * CHANCE
    # Well below what weight decay alone would bring.
    assert case["last"] < 0.8 * CHANCE, case
    assert case["evaluated"] == pytest.approx(case["last"], abs=0.2)


def test_float64_computes_in_float64(cases):
    case = cases["float64_is_float64"]
    assert case["weights"] == ["float64"]
    assert case["dtype"] == "float64"
    assert case["gap"] < 1e-12


def test_backends_agree_in_float64(everywhere):
    """Attention and LayerNorm included: a detour through float32 would show."""
    logits = {b: everywhere[b]["float64_is_float64"]["logits"] for b in BACKENDS}
    for one, two in itertools.combinations(BACKENDS, 2):
        np.testing.assert_allclose(logits[one], logits[two], rtol=1e-11, atol=1e-12)


def test_float64_loss_loses_fewer_examples(cases):
    case = cases["float64_loss"]
    assert case["float64"] < case["float32"]


def test_float64_loss_needs_64_bit_mode_on_jax(everywhere):
    message = everywhere["jax"]["float64_loss_refused"]
    assert "JAX_ENABLE_X64=1" in message
    assert "float32" in message


def test_no_time_goes_into_denormal_numbers(cases):
    assert cases["denormals"] == 0


def test_float16_recovers_from_an_overflow(cases):
    case = cases["loss_scale"]
    assert case["scale"] <= 2.0**30
    assert case["last"] < 0.8 * CHANCE, case


def test_the_loss_scale_does_not_change_the_update(cases):
    case = cases["loss_scale"]
    np.testing.assert_allclose(case["other_scale"], case["expected"], rtol=1e-3)
