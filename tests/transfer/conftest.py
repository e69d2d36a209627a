"""One process a backend for the tests of initial weights and of transfer."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="session")
def everywhere(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return run_everywhere(Path(__file__).with_name("cases_transfer.py"), str(folder))


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]
