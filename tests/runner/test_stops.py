"""Signals, NaN, errors, and runs that have finished: see `cases_stops.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_cases

CASES = (
    "SIGINT",
    "SIGTERM",
    "two signals",
    "four signals",
    "SIGINT while starting",
    "SIGTERM while starting",
    "signal swallowed by an import",
    "signal turned into another error",
    "signals before patience",
    "diverging",
    "a weight becomes infinite",
    "an error in a callback",
    "finished",
    "stopped after grokking",
    "a setting that may not change",
    "another process trains here",
    "files that are missing or damaged",
    "other threads",
    "leftovers of a kill",
    "no room for the model",
    "steps and time",
)


@pytest.fixture(scope="module")
def results():
    return run_cases("torch", Path(__file__).with_name("cases_stops.py"), timeout=600)


@pytest.mark.parametrize("case", CASES)
def test_case(results, case):
    results[case]


def test_no_case_is_left_out(results):
    assert set(results) == set(CASES)
