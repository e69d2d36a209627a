"""Dropout that varies, on three backends: all cases of the modules below.

One process a backend runs them, two backends at a time.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import case_runner
import pytest
from helpers import BACKENDS, run_on_backend

MODULES = ("mask_cases", "layer_cases", "model_cases", "fit_cases", "scheduler_cases")


@pytest.fixture(scope="module")
def outcomes():
    def run(backend):
        printed = run_on_backend(backend, case_runner.code(*MODULES), timeout=900)
        return json.loads(printed.splitlines()[-1])

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(BACKENDS, pool.map(run, BACKENDS), strict=True))


@pytest.mark.parametrize(
    ("module", "case"), [(module, case) for module in MODULES for case in case_runner.names(module)]
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout(outcomes, backend, module, case):
    outcome = outcomes[backend][module][case]
    assert outcome is None, outcome
