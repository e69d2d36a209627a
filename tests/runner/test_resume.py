"""A run that was killed or broken off and resumed ends with the same bits as one left in peace."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from backend_cases import run_cases
from compare_runs import READERS, differences
from helpers import BACKENDS
from torture import Torture, checkpoints
from torture_moments import damaged, flip, special_moments, truncate

KINDS = (
    "full batch",
    "batches and dropout",
    "float64",
    "bfloat16",
    "mixed_float16",
    "sgd",
    "lion",
    "muon",
    "transforms",
    "mlp",
    "schedules",
    "no checkpoint",
    "callbacks",
)
QUICK = ("batches and dropout", "transforms", "schedules", "callbacks")


@pytest.mark.parametrize("backend", BACKENDS)
def test_broken_off_and_resumed(backend):
    names = (*QUICK, "refused callbacks")
    results = run_cases(backend, Path(__file__).with_name("cases_resume.py"), *names, timeout=600)
    assert {kind: results[kind] for kind in QUICK} == {kind: [] for kind in QUICK}
    none, no_detector, apart = results["refused callbacks"]
    began = "began with (WeightDecayScheduler, GrokkingDetector, DropoutScheduler)"
    assert began in none
    assert "follows a detector that is not among the callbacks" in no_detector
    assert "follows a detector that is not among the callbacks" in apart


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_kind_broken_off_and_resumed(backend):
    results = run_cases(backend, Path(__file__).with_name("cases_resume.py"), timeout=900)
    assert {kind: results[kind] for kind in results} == {kind: [] for kind in KINDS}


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    """PyTorch has nothing to compile, so its processes start and end soonest."""
    torture = Torture("torch", tmp_path_factory.mktemp("torture"), steps=200)
    torture.leave_in_peace()
    return torture


def test_the_comparison_sees_a_single_bit(torture, tmp_path):
    for what in ("arrays", "metrics", "losses"):
        altered = tmp_path / what
        shutil.copytree(torture.reference, altered)
        assert differences(torture.reference, altered) == []
        if what == "arrays":
            flip(altered)
        elif what == "metrics":
            path = altered / "metrics.jsonl"
            path.write_text(path.read_text().replace('"step": 200', '"step": 201'))
        else:
            path = altered / "step_losses.f32"
            path.write_bytes(path.read_bytes()[:-4])
        (found,) = differences(torture.reference, altered)
        assert found.startswith(
            {"arrays": "last checkpoint", "metrics": "metrics", "losses": "step_losses"}[what]
        )
    assert len(READERS) == 8
    assert READERS["projector"](torture.reference)


def test_killed_at_a_random_moment(torture, tmp_path):
    run = tmp_path / "run"
    torture.random_kill(run)
    outcome = torture.check("random", run)
    assert outcome.resumed_from > 0
    assert outcome.different == []


def test_two_damaged_checkpoints(torture, tmp_path):
    run = tmp_path / "run"
    torture.kill_when(run, lambda: len(checkpoints(run)) >= 3)
    newest = checkpoints(run)[-3:]
    truncate(run)
    flip(run, -2)
    outcome = torture.check("damaged", run)
    assert outcome.resumed_from == newest[0]
    assert [notice for notice in outcome.notices if notice.startswith("Skipped")] == [
        f"Skipped checkpoint step-{newest[2]:08d}: {truncated(torture)}",
        f"Skipped checkpoint step-{newest[1]:08d}: arrays.safetensors is altered: "
        f"its checksum differs.",
    ]
    assert outcome.different == []


def truncated(torture):
    last = torture.reference / "checkpoints" / f"step-{torture.steps:08d}"
    size = (last / "arrays.safetensors").stat().st_size
    return f"arrays.safetensors has {size // 2} bytes, expected {size}."


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_torture(backend, tmp_path):
    """What `python tests/runner/torture.py --backend NAME --kills 20` prints as a table."""
    torture = Torture(backend, tmp_path)
    torture.leave_in_peace()
    for number in range(20):
        run = tmp_path / f"run-{number}"
        torture.random_kill(run)
        outcome = torture.check(f"random moment {number}", run)
        assert outcome.resumed_from > 0
        assert outcome.different == [], outcome
    for outcome in [*special_moments(torture, run), *damaged(torture, tmp_path / "damaged")]:
        assert outcome.different == [], outcome
