"""One process a backend for all tests of losses."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="session")
def everywhere():
    return run_everywhere(Path(__file__).with_name("cases_losses.py"))


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]
