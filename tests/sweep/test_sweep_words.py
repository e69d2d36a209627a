"""What a sweep says: while it runs, and its table at the end."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from grokkeras.errors import UserError
from grokkeras.run_folder.lock import FolderLock
from grokkeras.sweep import Outcome, carry_out, plan_sweep
from grokkeras.sweep.progress import SweepProgress
from grokkeras.sweep.table import print_results
from grokkeras.sweep.tally import median_step, tally

DONE = {"memorization_step": 100, "grokking_step": 250, "wall_seconds": 12.5, "steps": 300}


def made(tmp_path, seeds=(0, 1), grid=None):
    return plan_sweep("quickstart", seeds, grid, tmp_path)


def printed(terminal=False):
    file = io.StringIO()
    return Console(file=file, width=120, force_terminal=terminal, markup=False, color_system=None)


class Scripted:
    """An engine that does nothing but tell what a script says."""

    def __init__(self, outcomes, complete=True):
        self.outcomes, self.complete, self.given = outcomes, complete, []

    def run(self, jobs, tell, started):
        self.given = list(jobs)
        for job in jobs:
            started(job)
            tell(self.outcomes[job.folder])
        return self.complete


def test_the_median_counts_what_never_came_as_latest():
    assert median_step([300, 100, 200]) == 200
    assert median_step([300, 100, 200, 400]) == 250
    assert median_step([300, None, 200]) == 300
    assert median_step([300, None, 200, None]) is None  # half of them
    assert median_step([None, None, 200]) is None
    assert median_step([]) is None


def test_a_line_a_setting(tmp_path):
    jobs = made(tmp_path, (0, 1, 2), {"optimizer.weight_decay": [0.3, 1.0]})
    ends = [
        Outcome(jobs[0], "finished", DONE),
        Outcome(jobs[1], "failed", {}, "NaN at step 7\nmore"),
        Outcome(jobs[2], "finished", DONE | {"grokking_step": None}),
        Outcome(jobs[3], "finished", DONE | {"grokking_step": 1250}),
        Outcome(jobs[4], "finished", DONE | {"grokking_step": 350, "wall_seconds": 20.0}),
        Outcome(jobs[5], "interrupted", {"steps": 20}),
    ]
    low, high = tally(ends)
    assert (low.setting, low.finished, low.failed, low.missing) == ("weight_decay=0.3", 3, 0, 0)
    assert (low.grokked, low.grokking_steps) == (2, (250, None, 350))
    assert (high.finished, high.failed, high.missing) == (1, 1, 1)

    console = printed()
    print_results(console, ends)
    said = console.file.getvalue()
    words = [" ".join(line.split()) for line in said.splitlines()]
    assert "weight_decay=0.3 2 of 3 100 350 250 to 350 12 s" in words
    assert "weight_decay=1.0 1 of 1, 1 failed, 1 missing 100 1,250 1,250 to 1,250 12 s" in words
    assert f"{jobs[1].folder} failed: NaN at step 7\nmore" in said


def test_progress_in_lines(tmp_path):
    jobs = made(tmp_path, (0, 1, 2))
    console = printed()
    progress = SweepProgress(console=console)
    progress.begin([Outcome(jobs[0], "failed", {}, "NaN")], jobs[1:])
    progress.started(jobs[1])
    progress.ended(Outcome(jobs[1], "finished", DONE))
    progress.started(jobs[2])
    progress.ended(Outcome(jobs[2], "interrupted", {"steps": 20}))
    progress.end()
    assert console.file.getvalue().splitlines() == [
        "3 runs, 1 done before (1 of them failed; --retry goes on with those), 2 to do",
        "[2/3] quickstart, seed 1: grokked at step 250, 12 s",
        "[2/3] quickstart, seed 2: stopped at step 20, with a checkpoint",
    ]


def test_the_view_shows_what_runs(tmp_path):
    jobs = made(tmp_path)
    seconds = [0.0]
    progress = SweepProgress(console=printed(terminal=True), clock=lambda: seconds[0])
    progress.begin([], jobs)
    try:
        progress.started(jobs[0])
        assert progress.view().plain == ("0 of 2 runs, 0.0 s\n  quickstart, seed 0: starting")
        jobs[0].folder.mkdir(parents=True)
        record = {"step": 1200, "train_accuracy": 1.0, "val_accuracy": 0.412}
        line = json.dumps(record)
        (jobs[0].folder / "metrics.jsonl").write_text(f"{line}\n" * 300 + line[:20])  # torn
        assert "seed 0: step 1,200 / 10,000  train 100.0 %  validation 41.2 %" in (
            progress.view().plain
        )
        seconds[0] = 30.0
        progress.ended(Outcome(jobs[0], "finished", DONE))
        assert progress.view().plain == "1 of 2 runs, 30 s, about 30 s left"
    finally:
        progress.end()


def test_only_what_is_missing_is_done(tmp_path):
    jobs = made(tmp_path, (0, 1, 2))
    jobs[0].folder.mkdir(parents=True)
    (jobs[0].folder / "error.txt").write_text("killed\n")
    ends = {job.folder: Outcome(job, "finished", DONE) for job in jobs}
    engine = Scripted(ends)
    outcomes, complete = carry_out(jobs, tmp_path, engine, SweepProgress(console=printed()))
    assert complete
    assert engine.given == jobs[1:]
    assert [outcome.status for outcome in outcomes] == ["failed", "finished", "finished"]
    carry_out(jobs, tmp_path, engine, SweepProgress(console=printed()), retry=True)
    assert engine.given == jobs


def test_one_sweep_at_a_time(tmp_path):
    lock = FolderLock(tmp_path)
    lock.acquire()
    with pytest.raises(UserError, match="in use by another grokkeras"):
        carry_out(made(tmp_path), tmp_path, Scripted({}), SweepProgress(console=printed()))
    lock.release()


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    root = tmp_path / "file" / "sweep"
    with pytest.raises(UserError, match="Choose another place with --out"):
        carry_out(made(root), root, Scripted({}), SweepProgress(console=printed()))
