"""The weight decay table, asserted: every optimizer of Keras that decays, on every backend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_optimizer_follows_the_schedule(backend):
    code = f"""
    import sys
    sys.path.insert(0, {str(HERE)!r})
    sys.argv.append("--json")
    import weight_decay_table
    weight_decay_table.main()
    """
    rows = json.loads(run_on_backend(backend, code, timeout=600).splitlines()[-1])
    # Every optimizer that this Keras has, among them those that the issue names.
    names = {row["optimizer"] for row in rows}
    assert {"AdamW", "Adam", "SGD", "Lion", "Muon", "ScheduleFreeAdamW"} <= names
    assert len(rows) == len(names) >= 16
    for row in rows:
        assert row["restart"] < 1e-6, row
        assert row["formula"] is None or row["formula"] < 1e-6, row
        # Why this exists. On PyTorch nothing is traced, so there the plain way works.
        if backend == "torch":
            assert row["plain"] < 1e-6, row
        else:
            assert row["plain"] > 0.01, row
    assert [row["optimizer"] for row in rows if row["formula"] is None] == ["Ftrl"]
