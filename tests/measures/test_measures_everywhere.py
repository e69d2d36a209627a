"""Measures on every backend: see `cases_measures`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

CASES = (
    "in_a_run",
    "measures_change_nothing",
    "in_stock_fit",
    "the_defaults",
    "logger_in_stock_fit",
    "gradients_are_those_of_finite_differences",
    "shares_leave_examples_out",
    "a_gradient_in_batches_is_that_of_all",
    "what_is_refused",
)


@pytest.fixture(scope="module")
def results():
    return run_everywhere(Path(__file__).with_name("cases_measures.py"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_case(results, backend, case):
    results[backend][case]


@pytest.mark.parametrize("backend", BACKENDS)
def test_costly_measures_at_five_a_decade(results, backend):
    found = results[backend]["in_a_run"]
    assert found["costly"] == [1, 2, 3, 4, 6, 10, 16, 25, 30]
    assert {"restricted_loss", "commutator_defect", "effective_rank"} <= set(found["names"])
    assert all(math.isfinite(v) for v in found["last"].values() if isinstance(v, float))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_logger_writes_at_log_spaced_steps(results, backend):
    found = results[backend]["logger_in_stock_fit"]
    steps = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 60]
    for tag in ("loss", "accuracy", "learning_rate", "measures/weight_norm"):
        assert found["train"][tag] == steps, tag
    assert found["validation"] == {"loss": steps, "accuracy": steps}
    assert len(found["train"]["events"]) == 2  # memorization and grokking, at once


def test_the_backends_agree(results):
    """Our models begin with the same weights everywhere."""
    one, *others = (results[backend]["in_a_run"]["last"] for backend in BACKENDS)
    for other in others:
        for name, value in one.items():
            if name != "seconds":
                assert other[name] == pytest.approx(value, rel=2e-3, abs=1e-4), name
