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
)
ELSEWHERE = ("a run of another backend",)
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
def run_of_torch(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "torch"
    run_on_backend(
        "torch",
        f"""
        import sys
        sys.path[:0] = [{str(TESTS)!r}]
        from small import small_config
        import grokkeras
        grokkeras.run(small_config("torch"), out={str(run)!r})
        """,
    )
    return run


@pytest.fixture(scope="module")
def results(run_of_torch):
    """By backend, made when they are first asked for."""
    made = {}

    def results_on(backend):
        if backend not in made:
            names = EVERYWHERE + (ON_TORCH if backend == "torch" else ELSEWHERE)
            cases = TESTS / "cases_api.py"
            made[backend] = run_cases(backend, cases, str(run_of_torch), *names, timeout=600)
        return made[backend]

    return results_on


@pytest.mark.parametrize("case", EVERYWHERE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_on_every_backend(results, backend, case):
    results(backend)[case]


@pytest.mark.parametrize("case", ON_TORCH)
def test_on_torch(results, case):
    results("torch")[case]


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_on_jax_and_tensorflow(results, backend, case):
    results(backend)[case]
