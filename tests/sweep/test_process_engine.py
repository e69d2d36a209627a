"""The pool itself, with real processes and JAX: failures, restarts, kills, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest
from helpers import REPO, wait_for

from grokkeras.logging.jsonl import read_jsonl
from grokkeras.sweep import ProcessEngine, find_outcome, plan_sweep

SMALL = {
    "backend": "jax",
    "task.modulus": 7,
    "model.width": 16,
    "model.mlp_width": 16,
    "train.max_steps": 30,
    "train.checkpoint_every": 10,
    "log.tensorboard": False,
}
LONG = SMALL | {"train.max_steps": 2_000_000, "train.checkpoint_every": 1000}


def test_a_failure_hurts_no_other_and_finished_runs_stay(tmp_path):
    grid = {"optimizer.learning_rate": [1e30, 1e-3]}
    jobs = plan_sweep("quickstart", [0], grid, tmp_path, SMALL)
    told = []
    assert ProcessEngine(2).run(jobs, told.append)
    by_setting = {outcome.job.setting: outcome for outcome in told}
    failed, fine = by_setting["learning_rate=1e+30"], by_setting["learning_rate=0.001"]
    assert (failed.status, fine.status) == ("failed", "finished")
    assert "NaN" in failed.error
    assert fine.summary["steps"] == 30
    threads = json.loads((fine.job.folder / "environment.json").read_text())["threads"]
    assert threads["variables"]["NPROC"] == "1"
    if hasattr(os, "sched_getaffinity"):
        assert threads["usable_cores"] == 1
    # What a restart has to do: nothing.
    assert [find_outcome(job).status for job in jobs] == ["failed", "finished"]


def test_runs_of_a_pool_compile_once_and_end_the_same(tmp_path, monkeypatch):
    alone, pooled = (
        plan_sweep("quickstart", [0, 1], None, tmp_path / name, SMALL) for name in ("own", "shared")
    )
    caches = tmp_path / "caches"
    caches.mkdir()
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(caches))
    for job in alone:
        assert ProcessEngine(1).run([job], lambda outcome: None)
    programs = []

    def count(outcome):
        programs.append({path.name for path in caches.rglob("*-cache")})

    assert ProcessEngine(1).run(pooled, count)
    first, second = programs
    assert len(first) > 1
    assert second == first
    assert not list(caches.rglob("*-cache"))
    for one, other in zip(alone, pooled, strict=True):
        arrays = [
            (max((job.folder / "checkpoints").glob("step-*")) / "arrays.safetensors").read_bytes()
            for job in (one, other)
        ]
        assert arrays[0] == arrays[1]


def test_spoilt_folders_hurt_no_other(tmp_path):
    jobs = plan_sweep("quickstart", [0, 1], None, tmp_path, SMALL)
    for job in jobs:
        job.folder.mkdir(parents=True)
        (job.folder / "config.yaml").write_text("name: [")
    told = []
    assert ProcessEngine(1).run(jobs, told.append)
    assert [outcome.job for outcome in told] == jobs
    for outcome in told:
        assert outcome.status == "failed"
        assert "config.yaml" in outcome.error
        assert not (outcome.job.folder / "error.txt").exists()


def test_a_folder_that_cannot_be_made_hurts_no_other(tmp_path):
    blocked, refused, fine = plan_sweep("quickstart", [0, 1, 2], None, tmp_path, SMALL)
    blocked.folder.parent.mkdir(parents=True)
    blocked.folder.write_text("a file where a folder should be")
    refused.folder.symlink_to("/proc/nowhere")
    told = []
    assert ProcessEngine(2).run([blocked, refused, fine], told.append)
    by_job = {outcome.job.folder: outcome for outcome in told}
    assert by_job[fine.folder].status == "finished"
    for job in (blocked, refused):
        assert by_job[job.folder].status == "failed"
        assert str(job.folder) in by_job[job.folder].error


def test_an_error_of_the_caller_leaves_checkpoints(tmp_path):
    (short,) = plan_sweep("quickstart", [0], None, tmp_path, SMALL)
    (long,) = plan_sweep("quickstart", [1], None, tmp_path, LONG)

    def tell(outcome):
        wait_for(lambda: (long.folder / "metrics.jsonl").is_file())
        raise RuntimeError("a bug in what is told")

    with pytest.raises(RuntimeError, match="a bug"):
        ProcessEngine(2).run([short, long], tell)
    stopped = find_outcome(long)
    assert stopped.status == "interrupted"
    assert any((long.folder / "checkpoints").glob("step-*"))


@pytest.mark.slow
def test_a_signal_stops_runs_with_a_checkpoint(tmp_path):
    jobs = plan_sweep("quickstart", [0, 1, 2], out=tmp_path, overrides=LONG)

    def interrupt():
        wait_for(lambda: any((jobs[0].folder / "checkpoints").glob("step-*")))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    told = []
    assert not ProcessEngine(1).run(jobs, told.append)
    thread.join()
    assert [(outcome.job, outcome.status) for outcome in told] == [(jobs[0], "interrupted")]
    steps = told[0].summary["steps"]
    assert (jobs[0].folder / "checkpoints" / f"step-{steps:08d}").is_dir()
    assert not jobs[1].folder.exists()


@pytest.mark.slow
def test_a_killed_pool_is_gone_on_with(tmp_path):
    (job,) = plan_sweep("quickstart", [0], out=tmp_path, overrides=LONG)
    code = f"""
from pathlib import Path
from grokkeras.logging.jsonl import read_jsonl
from grokkeras.sweep import ProcessEngine, plan_sweep
ProcessEngine(1).run(plan_sweep("quickstart", [0], None, Path({str(tmp_path)!r}), {LONG!r}), print)
"""
    pool = subprocess.Popen([sys.executable, "-c", code], cwd=REPO)
    wait_for(lambda: any((job.folder / "checkpoints").glob("step-*")))
    pool.kill()
    pool.wait()

    # The worker sees that the pool is gone, and stops with a checkpoint.
    wait_for(lambda: find_outcome(job).status == "interrupted")
    steps = find_outcome(job).summary["steps"]
    told = []

    def interrupt():
        wait_for(lambda: '"resume"' in (job.folder / "events.jsonl").read_text())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    ProcessEngine(1).run([job], told.append)
    thread.join()
    events = read_jsonl(job.folder / "events.jsonl").records
    (resumed,) = [event for event in events if event["event"] == "resume"]
    assert resumed["detail"]["from_step"] == steps
