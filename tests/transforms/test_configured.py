"""Every transform and Muon by name in a configuration: equal backends, and resumed to the bit."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

from grokkeras.config.fields import item_variants
from grokkeras.config.optimizer_options import Common

FILE = Path(__file__).with_name("cases_configured.py")
NAMES = sorted(item_variants(Common.model_fields["transforms"]))
QUICK = ["chain", "muon"]
SINGLE = [*NAMES, "adamw"]
# Relative, of 20 losses. Adam divides by the square root of a second moment, so the rounding of a
# gradient near 0 becomes a step; the transforms divide by norms on top of it.
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(FILE, "quick")


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


@pytest.fixture(scope="module")
def singles():
    return run_everywhere(FILE, "singles")


def assert_agree(everywhere, name):
    curves = {backend: everywhere[backend][name]["losses"] for backend in BACKENDS}
    for one, two in itertools.combinations(BACKENDS, 2):
        assert len(curves[one]) == 20
        np.testing.assert_allclose(curves[one], curves[two], rtol=TOLERANCE, err_msg=f"{one} {two}")


def test_every_transform_has_options_and_the_other_way_round(cases):
    assert cases["names"] == NAMES


@pytest.mark.parametrize("name", QUICK)
def test_backends_agree_on_20_losses(everywhere, name):
    """All transforms in one chain, and Muon with two."""
    assert_agree(everywhere, name)


@pytest.mark.parametrize("name", QUICK)
def test_goes_on_from_a_saved_state_bit_for_bit(cases, name):
    assert cases[name]["resumed"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SINGLE)
def test_each_transform_alone(singles, name):
    """The backends agree, a saved state goes on with the same bits, and it is not plain AdamW."""
    assert_agree(singles, name)
    for backend in BACKENDS:
        case = singles[backend][name]
        assert case["resumed"], backend
        assert case["fused"] == (backend == "torch" and name != "adamw")
        plain, changed = (np.array(singles[backend][key]["losses"]) for key in ("adamw", name))
        assert changed[0] == pytest.approx(plain[0], rel=1e-6)
        assert (np.abs(changed / plain - 1).max() > 1e-3) == (name != "adamw")


def test_the_first_of_the_list_is_the_outermost(cases):
    assert cases["order"] == ["Grokfast", "OrthoGrad", "NormCap", "AdamW"]


def test_a_schedule_in_a_transform_hears_of_events(cases):
    waiting, plain = (np.array(curve) for curve in cases["event"])
    np.testing.assert_allclose(waiting[:10], plain[:10], rtol=1e-5)
    assert np.abs(waiting[12:] / plain[12:] - 1).max() > 1e-2


def test_muon_of_a_configuration_knows_the_head_by_name(cases):
    for name, rules in cases["rules"].items():
        for path, rule in rules.items():
            hidden = path.endswith("kernel") and not path.startswith("head")
            assert rule == ("muon" if hidden else "adamw"), (name, path)
    assert any(path.startswith("head") for path in cases["rules"]["untied"])
    assert not any(path.startswith("head") for path in cases["rules"]["tied"])


def test_loss_scaling_goes_around_the_transforms(cases):
    inner, first, last = cases["float16"]
    assert inner == "Grokfast"
    assert last < first


def test_pytorch_keeps_its_fused_update_inside_transforms(everywhere):
    """Where the optimizer inside is plain Adam or AdamW; its rule is the same to the last bits."""
    fused, plain = everywhere["torch"]["same as apply"]
    np.testing.assert_allclose(fused, plain, rtol=1e-5)
    assert not everywhere["torch"]["muon"]["fused"]
