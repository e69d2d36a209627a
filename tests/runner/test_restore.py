"""What a run that is resumed has to have in common with the one that began."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from grokkeras.config import load_config, to_plain
from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder
from grokkeras.runner.restore import _check_same, check_data_is_the_same, check_goes_on
from grokkeras.tasks import make_task

CURRICULUM = {"by": "operand_range", "start": 0.4, "steps": 100}


def checkpoint(config, **state):
    return SimpleNamespace(step=500, state={"config": to_plain(config), **state})


def arrays(path, order):
    x = np.arange(200)[:, None] % 20 + np.arange(3) * np.arange(200)[:, None] % 7
    np.savez(path, x=x[order], y=(np.arange(200) % 2)[order])
    task = {"name": "arrays", "path": str(path), "stratify": False}
    config = load_config({"name": "x", "task": task, "model": {"name": "mlp"}})
    return make_task(config.task, 0)


def test_other_data_is_refused(tmp_path):
    order = np.arange(200)
    begun = arrays(tmp_path / "data.npz", order)
    found = SimpleNamespace(step=500, state={"data": begun.fingerprint()})
    check_data_is_the_same(arrays(tmp_path / "data.npz", order), found)
    check_data_is_the_same(begun, SimpleNamespace(step=500, state={}))  # of an earlier version
    with pytest.raises(UserError, match="not what the run began with"):
        check_data_is_the_same(arrays(tmp_path / "data.npz", order[::-1]), found)


def test_a_last_step_that_is_past_is_refused():
    config = load_config("quickstart", {"train.max_steps": 500})
    check_goes_on(config, checkpoint(config))
    with pytest.raises(UserError, match="stands at step 500 already"):
        check_goes_on(load_config("quickstart", {"train.max_steps": 499}), checkpoint(config))


@pytest.mark.parametrize("sections", [({}, {"curriculum": CURRICULUM}),
                                      ({"curriculum": CURRICULUM}, {})])  # fmt: skip
def test_a_section_that_came_or_went_is_a_change(sections, tmp_path):
    before, after = (load_config("quickstart", {"train.batch_size": 64} | s) for s in sections)
    folder = RunFolder.create(tmp_path / "run", after)
    _check_same(folder, checkpoint(after))
    with pytest.raises(UserError, match="curriculum: was "):
        _check_same(folder, checkpoint(before))
    folder.unlock()
