"""`bench sweep` on short runs: the same steps on both sides, and what a restart leaves alone."""

from __future__ import annotations

import json

import pytest

from grokkeras.bench import pool
from grokkeras.errors import GrokkerasError


def test_both_sides_do_the_same_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "STEPS", {"W3": 60})
    monkeypatch.setattr(pool, "RUNS", 2)
    jobs = pool._jobs("W3", "jax", tmp_path)
    assert [job.config.train.max_steps for job in jobs] == [60, 60]
    assert [job.config.seed for job in jobs] == [0, 1]
    said = []
    whole, steps_only = pool.throughput("W3", "jax", said.append)
    assert len(said) == 2
    assert (whole.bound, whole.at_least) == (1.2, True)
    assert 0.2 < whole.value < 20
    assert 0.05 < steps_only.value < 50


def test_a_failed_run_of_the_pool_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(pool.ProcessEngine, "run", lambda *_: True)
    with pytest.raises(GrokkerasError, match="A run of the pool failed"):
        pool._pooled(pool._jobs("W1", "jax", tmp_path))


def test_runs_that_have_ended(tmp_path):
    for seed, status in enumerate(("finished", "running", "failed", "interrupted")):
        folder = tmp_path / "a" / f"seed-{seed}"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(json.dumps({"status": status}))
    ended = pool._ended(tmp_path)
    names = {path.parent.name: status for path, (status, _) in ended.items()}
    assert names == {"seed-0": "finished", "seed-2": "failed"}
