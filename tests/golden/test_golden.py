"""Losses as they were when the curves were written: a refactoring must not move them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

HERE = Path(__file__).parent
CURVES = json.loads((HERE / "curves.json").read_text(encoding="utf-8"))
NAMES = ("transformer", "minibatch", "dropout")


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(HERE / "cases_golden.py")


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


@pytest.mark.parametrize("name", NAMES)
def test_first_20_losses(cases, name):
    golden = CURVES[cases.backend][name]
    assert len(golden) == 20
    np.testing.assert_allclose(
        cases[name],
        golden,
        rtol=1e-5,
        err_msg="If numbers are meant to change: python tests/golden/write_curves.py",
    )


def test_the_curves_are_of_one_kind():
    """All agree between backends, but for dropout on PyTorch, whose masks are its own."""
    assert set(CURVES) == set(BACKENDS)
    for one, two in itertools.combinations(BACKENDS, 2):
        assert set(CURVES[one]) == set(NAMES)
        alike = NAMES if "torch" not in (one, two) else NAMES[:2]
        for name in alike:
            np.testing.assert_allclose(CURVES[one][name], CURVES[two][name], rtol=1e-5)
