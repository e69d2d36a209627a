"""The table of `dropout_table.py`: ours follows the schedule; plain Keras does on PyTorch alone."""

from __future__ import annotations

import json

import pytest
from helpers import BACKENDS, REPO, run_on_backend

SCRIPT = REPO / "tests" / "annealing" / "dropout_table.py"


@pytest.mark.parametrize("backend", BACKENDS)
def test_share_of_zeros(backend):
    code = f"""
        import runpy, sys
        sys.argv = ["dropout_table.py", "--json"]
        runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
    """
    table = json.loads(run_on_backend(backend, code, timeout=600).splitlines()[-1])
    for column in ("grokkeras", "grokkeras, fitted before"):
        for asked, measured in zip(table["schedule"], table[column], strict=True):
            assert measured == pytest.approx(asked, abs=0.005)
    plain = table["schedule"] if backend == "torch" else [table["schedule"][0]] * len(table["step"])
    assert table["plain Keras"] == pytest.approx(plain, abs=0.005)
