"""`grokkeras.run` and `grokkeras.load` on every backend: see `cases_api.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_cases
from helpers import BACKENDS, run_on_backend

# What touches the training state, and so the backend.
EVERYWHERE = (
    "callbacks are called",
    "a new learning rate",
    "new weights",
    "the detector agrees",
    "other dtypes in one process",
    "load an unfinished run",
    "a run of another backend",
)
# PyTorch has nothing to compile, so its runs cost least.
ON_TORCH = (
    "callbacks of a resumed run",
    "stop training",
    "what is refused leaves nothing",
    "config yaml repeats the run",
    "load a finished run",
)
TESTS = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of PyTorch, and one of JAX for PyTorch to load."""
    folder = tmp_path_factory.mktemp("runs")
    for backend in ("torch", "jax"):
        run_on_backend(
            backend,
            f"""
            import sys
            sys.path[:0] = [{str(TESTS)!r}]
            from small import small_config
            import grokkeras
            grokkeras.run(small_config({backend!r}), out={str(folder / backend)!r})
            """,
        )
    return folder


@pytest.fixture(scope="module")
def results(runs):
    """By backend, made when they are first asked for."""
    made = {}

    def results_on(backend):
        if backend not in made:
            other = runs / ("jax" if backend == "torch" else "torch")
            names = () if backend == "torch" else EVERYWHERE
            cases = TESTS / "cases_api.py"
            made[backend] = run_cases(backend, cases, str(other), *names, timeout=600)
        return made[backend]

    return results_on


@pytest.mark.parametrize("case", EVERYWHERE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_on_every_backend(results, backend, case):
    results(backend)[case]


@pytest.mark.parametrize("case", ON_TORCH)
def test_on_torch(results, case):
    results("torch")[case]


def test_no_case_is_left_out(results):
    assert set(results("torch")) == {*EVERYWHERE, *ON_TORCH}
