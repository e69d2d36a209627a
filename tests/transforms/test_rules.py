"""Every transform and optimizer against NumPy re-implementations, step by step, on each backend."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from transform_cases import STEPS, trajectories  # noqa: E402

CASES = trajectories()
# float32 against float64 after 21 steps, of weights up to 7.
TOLERANCE = 5e-6
# Keras' Adam takes 1 - 0.999^t in float32, which is good to 6e-5 at the first steps; five
# Newton-Schulz steps multiply rounding by up to 3.4^5.
LOOSER = {
    "layer_learning_rates": 3e-5,
    "muon": 3e-5,
    "muon_spectral": 3e-5,
    "chain": 3e-5,
    "chain_with_muon": 3e-5,
    "accumulated": 3e-5,
    "scaled_loss": 3e-5,
    "clipnorm_inside": 3e-5,
}
BETWEEN_BACKENDS = 1e-5


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """By backend and case the weights after 0, 1, ... steps."""
    folder = tmp_path_factory.mktemp("rules")
    code = f"""
        import sys
        sys.path.insert(0, {str(HERE)!r})
        import run_cases
        run_cases.main({str(folder)!r})
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda backend: run_on_backend(backend, code), BACKENDS))
    results = {}
    for backend in BACKENDS:
        with np.load(folder / f"{backend}.npz") as arrays:
            results[backend] = dict(arrays)
    return results


def flat(weights):
    return np.concatenate([w.ravel() for w in weights])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_agrees_with_the_published_rule(computed, backend, name):
    """After the first, second, third, ... and twenty-first step."""
    assert len(computed[backend][name]) == STEPS + 1
    for step, weights in enumerate(CASES[name]):
        np.testing.assert_allclose(
            computed[backend][name][step],
            flat(weights),
            rtol=1e-6,
            atol=LOOSER.get(name, TOLERANCE),
            err_msg=f"after step {step}",
        )


@pytest.mark.parametrize("name", CASES)
def test_backends_agree_after_twenty_steps(computed, name):
    for other in BACKENDS[1:]:
        np.testing.assert_allclose(
            computed[other][name][20],
            computed[BACKENDS[0]][name][20],
            rtol=0,
            atol=BETWEEN_BACKENDS,
            err_msg=other,
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cases_differ(computed, backend):
    """A transform that did nothing would agree with no rule but that of plain descent."""
    ends = {name: path[-1] for name, path in computed[backend].items()}
    assert set(ends) == set(CASES)
    names = sorted(ends)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            assert np.abs(ends[one] - ends[other]).max() > 1e-3, (one, other)
