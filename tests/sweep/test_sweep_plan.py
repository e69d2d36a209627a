"""From the command line's texts to jobs, and what the folders say of them."""

from __future__ import annotations

import json

import pytest

from grokkeras.errors import ConfigError, UserError
from grokkeras.run_folder import RunFolder
from grokkeras.sweep import Outcome, find_outcome, plan_sweep, read_grid, read_seeds
from grokkeras.sweep.one_core import one_core_environment
from grokkeras.sweep.tally import tally


def test_seeds():
    assert read_seeds("0:4") == [0, 1, 2, 3]
    assert read_seeds("3, 7,5:7,7") == [3, 7, 5, 6]
    for text in ("", "4:4", "a", "-1", "1.5", "0:1e3", "0:999999999", "0:100000,7"):
        with pytest.raises(UserError, match="--seeds"):
            read_seeds(text)


def test_grid():
    grid, faults = read_grid(["optimizer.weight_decay=0.3,1e0", "train.batch_size=full,64"])
    assert not faults
    assert grid == {"optimizer.weight_decay": [0.3, 1.0], "train.batch_size": ["full", 64]}
    (value,) = read_grid(["optimizer.weight_decay={schedule: constant, value: 1, x: 2}"])[
        0
    ].values()
    assert value == [{"schedule": "constant", "value": 1, "x": 2}]
    wrong = ["nothing", "seed=0,1", "task.modulus=", "model.width=1", "model.width=2", "name=a,b"]
    assert len(read_grid(wrong)[1]) == 5


def test_folders(tmp_path):
    grid = {"optimizer.weight_decay": [0.3, 1.0], "task.modulus": [7]}
    jobs = plan_sweep("quickstart", [0, 5], grid, tmp_path)
    names = [job.folder.relative_to(tmp_path).as_posix() for job in jobs]
    assert names == [
        "weight_decay=0.3,modulus=7/seed-0",
        "weight_decay=1.0,modulus=7/seed-0",
        "weight_decay=0.3,modulus=7/seed-5",
        "weight_decay=1.0,modulus=7/seed-5",
    ]
    assert [job.config.optimizer.weight_decay for job in jobs] == [0.3, 1.0, 0.3, 1.0]
    assert [job.config.seed for job in jobs] == [0, 0, 5, 5]
    (alone,) = plan_sweep("quickstart", [1])
    assert alone.folder.as_posix() == "runs/quickstart-sweep/quickstart/seed-1"


def test_settings_whose_names_would_be_alike_get_numbers(tmp_path):
    grid = {"optimizer.weight_decay": [{"schedule": "cosine", "start": k, "end": 0, "steps": 9}
                                       for k in (1, 2)], "name": ["x" * 90, "y" * 90]}  # fmt: skip
    folders = {job.folder.parent.name for job in plan_sweep("quickstart", [0], grid, tmp_path)}
    assert folders == {f"setting-{place}" for place in range(1, 5)}


def test_settings_that_are_alike_once_shortened_are_told_apart(tmp_path):
    after = {"schedule": "cosine", "start": 8.0, "end": 1.0}
    event = {"schedule": "on_event", "event": "memorization", "before": 0.0}
    decays = [event | {"after": after | {"steps": steps}} for steps in (500, 2000)]
    jobs = plan_sweep("quickstart", [0, 1], {"optimizer.weight_decay": decays}, tmp_path)
    first, second = tally([Outcome(job, "missing", {}) for job in jobs])
    assert (first.missing, second.missing) == (2, 2)
    assert first.setting.endswith("(setting 1)")
    assert second.setting.endswith("(setting 2)")


def test_a_refused_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"optimizer\.weight_decay"):
        plan_sweep("quickstart", [0], {"optimizer.weight_decay": [1.0, -1.0]}, tmp_path)


def test_outcomes_are_read_from_the_folders(tmp_path):
    (job,) = plan_sweep("quickstart", [0], out=tmp_path)
    assert find_outcome(job).status == "missing"
    folder = RunFolder.create(job.folder, job.config)
    folder.unlock()
    assert find_outcome(job).status == "missing"  # killed: nobody says that it ended
    folder.write_summary({"status": "finished", "grokking_step": 12})
    assert find_outcome(job).status == "finished"
    assert find_outcome(job).summary["grokking_step"] == 12
    (job.folder / "error.txt").write_text("The worker ended by signal 9.\n")
    assert find_outcome(job).status == "finished"  # somebody resumed it by hand
    folder.write_summary({"status": "interrupted"})
    assert find_outcome(job).error == "The worker ended by signal 9."
    folder.write_summary({"status": "failed", "error": "NaN"})
    assert (find_outcome(job).status, find_outcome(job).error) == ("failed", "NaN")
    folder.summary_path.unlink()
    (job.folder / "config.yaml").unlink()
    (job.folder / "error.txt").write_text("refused\n")
    assert find_outcome(job).error == "refused"


def test_a_folder_of_another_configuration_is_refused(tmp_path):
    (job,) = plan_sweep("quickstart", [0], out=tmp_path)
    RunFolder.create(job.folder, job.config).unlock()
    (other,) = plan_sweep("quickstart", [0], out=tmp_path, overrides={"task.modulus": 89})
    with pytest.raises(UserError, match="there: modulus: 97; wanted: modulus: 89"):
        find_outcome(other)


def test_one_thread_everywhere_and_the_users_flags_stay():
    made = one_core_environment({"HOME": "/h", "XLA_FLAGS": "--xla_x=1", "OMP_NUM_THREADS": "8"})
    assert made["HOME"] == "/h"
    assert made["OMP_NUM_THREADS"] == made["TF_NUM_INTRAOP_THREADS"] == made["NPROC"] == "1"
    assert made["XLA_FLAGS"] == "--xla_x=1 --xla_cpu_multi_thread_eigen=false"
    assert json.dumps(one_core_environment(made)) == json.dumps(made)
