"""Pictures and embeddings of runs: see `cases_pictures.py`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_cases
from helpers import BACKENDS

from grokkeras.runner.projecting import circle

EVERYWHERE = (
    "inside is what the model answers with",
    "inside by hand",
    "weights of the moment",
    "a run",
)
# The same on every backend; PyTorch has nothing to compile.
ON_TORCH = ("what each task has",)


@pytest.fixture(scope="module")
def results():
    file = Path(__file__).with_name("cases_pictures.py")
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = {
            backend: pool.submit(
                run_cases, backend, file, *EVERYWHERE, *(ON_TORCH if backend == "torch" else ())
            )
            for backend in BACKENDS
        }
        return {backend: run.result() for backend, run in runs.items()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", EVERYWHERE)
def test_on_each_backend(results, backend, case):
    assert results[backend][case] is None


@pytest.mark.parametrize("case", ON_TORCH)
def test_on_one(results, case):
    assert results["torch"][case] is None


def test_a_circle_is_found_among_others():
    """Two frequencies of the same strength, and noise: each alone is a circle."""
    n, draw = 59, np.random.default_rng(3)
    angles = 2 * np.pi * np.arange(n) / n
    waves = [f(k * angles) for k in (7, 20) for f in (np.cos, np.sin)]
    table = np.stack(waves, axis=1) @ np.linalg.qr(draw.normal(size=(32, 4)))[0].T + 3
    points = circle(table + 0.01 * draw.normal(size=table.shape), 20)
    assert points.shape == (n, 3)
    assert (points[:, 2] == 0).all()
    radius = np.hypot(points[:, 0], points[:, 1])
    np.testing.assert_allclose(radius, radius.mean(), rtol=0.1)
    turned = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    assert round(abs(turned[-1] - turned[0]) / (2 * np.pi) * n / (n - 1)) in (20, n - 20)
