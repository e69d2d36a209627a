"""The example with all parts at once on a model that is none of ours, for some epochs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import BACKENDS, REPO, run_on_backend

CODE = f"""
import json, runpy, warnings
warnings.simplefilter("error", UserWarning)
example = runpy.run_path({str(REPO / "examples" / "third_party_model.py")!r})
detector, history = example["main"](epochs=45)
print(json.dumps([detector.memorization_step, [e.written_at for e in detector.events], history]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_all_parts_in_stock_fit(backend):
    out = run_on_backend(backend, CODE, timeout=300)
    memorized, written, history = json.loads(out.splitlines()[-1])
    assert "dropout varies in 3: " in out
    assert memorized is not None
    last_update = 10 * np.arange(1, 46) - 1
    np.testing.assert_allclose(history["dropout_rate"], 0.3 * (1 - last_update / 500), rtol=1e-4)
    # From the evaluation that confirmed it the decay grows from 0.2 to 2 within 50 steps.
    grown = np.clip((last_update - written[0]) / 50, 0, 1)
    np.testing.assert_allclose(history["weight_decay"], 0.2 + 1.8 * grown, rtol=1e-4)
    assert history["weight_decay"][-1] == pytest.approx(2.0)
    assert history["accuracy"][-1] > 0.9
