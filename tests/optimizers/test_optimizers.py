"""Contract tests over the optimizers' registry, on each backend and between them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS
from numpy_mlp import UPDATES

FILE = Path(__file__).with_name("cases_optimizers.py")
MODES = ("full", "minibatch")


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(FILE)


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


def test_every_registered_optimizer_is_tested(cases):
    """A new optimizer needs its formula in `numpy_mlp.UPDATES` and options in the cases file."""
    assert cases["names"] == sorted(UPDATES)
    assert {name for name in cases if name.startswith("full")} == {f"full {n}" for n in UPDATES}


@pytest.mark.parametrize("name", UPDATES)
def test_first_steps_by_hand(cases, name):
    """Three minibatch steps beside the formula in NumPy; the first has no memory yet."""
    case = cases[f"minibatch {name}"]
    assert max(case["first"]) < 2e-4, case["first"]
    assert max(case["third"]) < 2e-4, case["third"]
    np.testing.assert_allclose(case["losses"][:3], case["hand_losses"], rtol=1e-5)


def test_nesterov_by_hand(cases):
    assert max(cases["nesterov"]) < 2e-4


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("mode", MODES)
def test_backends_agree_on_20_losses(everywhere, name, mode):
    curves = {b: everywhere[b][f"{mode} {name}"]["losses"] for b in BACKENDS}
    for one, two in itertools.combinations(BACKENDS, 2):
        assert len(curves[one]) == 20
        np.testing.assert_allclose(curves[one], curves[two], rtol=1e-5, err_msg=f"{one} {two}")
    assert curves["jax"][-1] < curves["jax"][0]


@pytest.mark.parametrize("name", UPDATES)
def test_goes_on_from_a_saved_state_bit_for_bit(cases, name):
    assert cases[f"full {name}"]["resumed"]


@pytest.mark.parametrize("name", UPDATES)
def test_stock_fit_makes_the_same_steps(cases, name):
    case = cases[f"full {name}"]
    np.testing.assert_allclose(case["fit"], case["losses"][:3], rtol=1e-5)


def test_muon_orthogonalises_hidden_matrices_alone(cases):
    for name, taken in cases["muon matrices"].items():
        by_muon = {path for path, yes in taken.items() if yes}
        hidden = {
            path
            for path in taken
            if path.endswith("kernel") and not path.startswith(("head", "table", "embedding"))
        }
        assert by_muon == hidden, name
        assert hidden
