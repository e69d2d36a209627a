"""Transforms and Muon in stock `compile()` and `fit()`, compiled, on each backend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS

FILE = Path(__file__).with_name("fit_cases.py")
CASES = FILE.read_text() + FILE.with_name("fit_around_cases.py").read_text()
QUICK = re.findall(r"^def (case_\w+)", CASES, re.MULTILINE)
SLOW = re.findall(r"^def (slow_case_\w+)", CASES, re.MULTILINE)


@pytest.fixture(scope="module")
def quick():
    return run_everywhere(FILE, *QUICK)


@pytest.fixture(scope="module")
def slow():
    return run_everywhere(FILE, *SLOW, timeout=1200)


@pytest.mark.parametrize("case", QUICK)
@pytest.mark.parametrize("backend", BACKENDS)
def test_in_stock_fit(quick, backend, case):
    assert quick[backend][case] is None


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW)
@pytest.mark.parametrize("backend", BACKENDS)
def test_in_stock_fit_at_length(slow, backend, case):
    assert slow[backend][case] is None
