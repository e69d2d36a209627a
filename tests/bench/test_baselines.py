"""The baselines compute what they claim to: reduced is plain, and all frameworks agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_cases
from helpers import BACKENDS

CASES = Path(__file__).with_name("cases_baselines.py")


@pytest.fixture(scope="module")
def results():
    return {backend: run_cases(backend, CASES) for backend in BACKENDS}


def losses(values):
    """PyTorch's fused AdamW is not Keras' to the last digit: its epsilon stands elsewhere."""
    return pytest.approx(values, rel=2e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("workload", ["full", "batches", "mlp"])
def test_reduced_has_the_losses_of_plain(results, backend, workload):
    plain = results[backend][f"{workload} plain"]
    assert results[backend][f"{workload} reduced"] == pytest.approx(plain, rel=1e-5)
    assert len(set(plain)) == len(plain)  # it trains


@pytest.mark.parametrize("workload", ["full", "batches", "mlp"])
def test_frameworks_agree(results, workload):
    first, *others = (results[backend][f"{workload} plain"] for backend in BACKENDS)
    for other in others:
        assert other == losses(first)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("workload", ["full", "mlp full"])
def test_fit_starts_and_trains_as_the_loop_does(results, backend, workload):
    fit, plain = (results[backend][f"{workload} {form}"] for form in ("fit", "plain"))
    assert fit[0] == pytest.approx(plain[0], rel=1e-5)
    # Stock Keras on TensorFlow squares an embedding's duplicate rows before it sums them.
    assert fit == (pytest.approx(plain, rel=5e-3) if backend == "tensorflow" else losses(plain))


@pytest.mark.parametrize("backend", BACKENDS)
def test_calls_go_on_where_the_last_one_ended(results, backend):
    assert results[backend]["continued"] is True


@pytest.mark.parametrize("backend", BACKENDS)
def test_fit_returns_a_loss_for_each_step_it_made(results, backend):
    # 60 examples in batches of 16 are 3 steps an epoch, so 4 steps take two epochs.
    assert results[backend]["fit counts"] == 6


@pytest.mark.parametrize("backend", BACKENDS)
def test_our_transformer_fits_the_plain_one(results, backend):
    assert results[backend]["ours transformer"] < 2e-5


@pytest.mark.parametrize("backend", BACKENDS)
def test_our_mlp_fits_the_plain_one(results, backend):
    assert results[backend]["ours mlp"] < 2e-5
