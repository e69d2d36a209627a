"""The reduced computation has the values and gradients of the plain one, for every option."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from backend_cases import run_cases, run_everywhere
from covering import covering
from helpers import BACKENDS
from model_options import MLP, TRANSFORMER

FILE = Path(__file__).with_name("cases_equal.py")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


@pytest.fixture(scope="module")
def everywhere():
    # Two compilations a combination: JAX gets a quarter of them here, all in the slow test.
    return run_everywhere(FILE, "covering")


@pytest.fixture(params=BACKENDS)
def equal(request, everywhere):
    return everywhere[request.param]


def tolerance(backend, name, dtype):
    # TensorFlow's gelu divides by a square root of 2 that was rounded to float32.
    rough = backend == "tensorflow" and "gelu" in name and dtype == "float64"
    return 2e-7 if rough else TOLERANCE[dtype]


def check(results, names, dtype="float64"):
    assert names
    for name in names:
        case = results[name]
        assert case["dtypes"] == [dtype], (name, case)
        assert case["shapes"], (name, case)
        assert case["finite"], (name, case)
        for what in ("logits", "called", "gradients"):
            limit = tolerance(results.backend, name, dtype)
            if what == "gradients":
                limit = max(limit, 3 * case["rounding"])
            assert case[what] <= limit, (results.backend, name, what, case)


@pytest.mark.parametrize("kind", ["transformer", "mlp", "bench transformer", "bench mlp"])
def test_float64(equal, kind):
    check(equal, [name for name in equal if name.startswith(kind)])


@pytest.mark.parametrize("kind", ["transformer", "mlp"])
def test_float32(equal, kind):
    check(equal, [n for n in equal if n.startswith(f"float32 {kind}")], "float32")


def test_gradients_reach_the_weights(equal):
    """Were the gradients all zero, agreeing on them would say nothing."""
    cases = [equal[name] for name in equal]
    reached = sum(case["weights_that_matter"] for case in cases)
    assert reached >= 0.75 * sum(case["weights"] for case in cases)


@pytest.mark.parametrize("options", [TRANSFORMER, MLP])
def test_every_pair_of_values_is_covered(options):
    rows = covering(options)
    for one, two in itertools.combinations(options, 2):
        seen = {(row[one], row[two]) for row in rows}
        assert seen == set(itertools.product(options[one], options[two])), (one, two)
    assert len(rows) < 60


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_many_random_combinations(backend):
    """A random sample of the full product."""
    results = run_cases(backend, FILE, "sample", timeout=3000)
    check(results, list(results))
    assert len(results) > (80 if backend == "jax" else 400)


@pytest.mark.slow
def test_every_pair_on_jax():
    results = run_cases("jax", FILE, "all", timeout=3000)
    check(results, [name for name in results if not name.startswith("float32")])
