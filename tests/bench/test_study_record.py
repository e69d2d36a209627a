"""The record of a study's runs: what it holds, and when a run counts as done by it."""

from __future__ import annotations

import json

import pytest

from benchmarks.studies import record, runs
from benchmarks.studies.record import Record, Run
from benchmarks.studies.runs import run_all
from grokkeras.config import digest, load_config
from grokkeras.sweep import Job, Outcome

TINY = {
    "name": "tiny",
    "backend": "jax",
    "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 5},
    "model": {"name": "mlp", "width": 4},
    "train": {"max_steps": 3},
}
LONGER = {**TINY, "train": {"max_steps": 4}}


class Folders:
    """Stands for run folders and the pool: a job that is run ends as `status` says."""

    def __init__(self):
        self.outcomes, self.ran, self.status, self.goes_on = {}, [], "finished", True
        self.diverges = True

    def find(self, job):
        return self.outcomes.get(job.folder) or Outcome(job, "missing", {})

    def put(self, job, memorized=None):
        steps = {"memorization_step": memorized, "grokking_step": None, "steps": 3}
        error = "a loss of nan\nat step 2" if self.status == "failed" else None
        if error and self.diverges:
            job.folder.mkdir(parents=True)
            (job.folder / "events.jsonl").write_text('{"step": 2, "event": "non_finite"}\n')
        self.outcomes[job.folder] = Outcome(job, self.status, steps, error)

    def engine(self, workers):
        return self

    def run(self, jobs, tell):
        for job in jobs if self.goes_on else []:
            self.ran.append(job.label)
            self.put(job)
            tell(self.outcomes[job.folder])
        return self.goes_on


@pytest.fixture
def folders(tmp_path, monkeypatch):
    made = Folders()
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(runs, "FOLDER", tmp_path / "runs")
    monkeypatch.setattr(runs, "find_outcome", made.find)
    monkeypatch.setattr(runs, "ProcessEngine", made.engine)
    return made


def quiet(*settings, **options):
    named = dict(zip(("one", "two"), settings, strict=False))
    return run_all("tiny", named, options.pop("seeds", [0]), say=lambda line: None, **options)


def test_a_run_in_the_record_is_done_without_its_folder(folders):
    first = quiet(TINY, seeds=[0, 1])
    folders.outcomes.clear()
    assert quiet(TINY, seeds=[0, 1]) == first
    assert folders.ran == ["one, seed 0", "one, seed 1"]
    assert quiet(TINY, workers=0) == {"one": [Run(None, None, None, 3)]}


def test_another_configuration_is_not_done_and_takes_the_line_of_the_first(folders, tmp_path):
    quiet(TINY)
    folders.outcomes.clear()
    assert quiet(LONGER, workers=0) == {"one": []}
    quiet(LONGER)
    assert folders.ran == ["one, seed 0"] * 2
    (line,) = json.loads((tmp_path / "results" / "tiny.json").read_text())
    lean = {key: value for key, value in runs.LEAN.items() if key != "backend"}
    assert line["config"] == digest(load_config(LONGER, {**lean, "seed": 0}))


def test_a_folder_goes_before_the_record_and_corrects_it(folders):
    quiet(TINY)
    (job,) = (outcome.job for outcome in folders.outcomes.values())
    folders.put(job, memorized=2)
    assert quiet(TINY)["one"] == [Run(2, None, None, 3)]
    folders.outcomes.clear()
    assert quiet(TINY)["one"] == [Run(2, None, None, 3)]


def test_a_half_done_folder_does_not_hide_the_record(folders):
    first = quiet(TINY)
    folders.status = "interrupted"
    (job,) = (outcome.job for outcome in folders.outcomes.values())
    folders.put(job)
    assert quiet(TINY) == first
    assert folders.ran == ["one, seed 0"]


def test_where_the_folder_itself_is_wanted_the_record_will_not_do(folders):
    quiet(TINY)
    folders.outcomes.clear()
    quiet(TINY, folders=True)
    quiet(TINY, folders=True)
    assert folders.ran == ["one, seed 0"] * 2


def test_the_record_keeps_a_step_that_was_judged_from_the_folder(folders):
    quiet(TINY, judge=lambda folder: 7)
    folders.outcomes.clear()
    assert quiet(TINY, judge=lambda folder: 8)["one"] == [Run(None, 7, None, 3)]


def test_a_failure_is_kept_in_a_line(folders):
    folders.status = "failed"
    quiet(TINY)
    folders.outcomes.clear()
    assert quiet(TINY)["one"] == [Run(None, None, None, error="a loss of nan")]


def test_a_run_that_was_killed_is_done_again(folders, tmp_path):
    folders.status, folders.diverges = "failed", False
    with pytest.raises(SystemExit, match="1 runs failed"):
        quiet(TINY)
    assert not (tmp_path / "results").exists()
    assert quiet(TINY, workers=0) == {"one": []}
    folders.status = "finished"
    assert quiet(TINY)["one"] == [Run(None, None, None, 3)]
    assert folders.ran == ["one, seed 0"] * 2


def test_runs_know_their_seed(folders):
    quiet(TINY, seeds=[3])
    folders.outcomes.clear()
    assert [run.seed for run in quiet(TINY, seeds=[2, 3])["one"]] == [2, 3]


def test_ctrl_c_ends_the_study(folders):
    folders.goes_on = False
    with pytest.raises(SystemExit, match="130"):
        quiet(TINY)


def test_a_line_a_run_sorted(folders, tmp_path):
    quiet(TINY, LONGER, seeds=[10, 2])
    lines = (tmp_path / "results" / "tiny.json").read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", 6)
    rows = [json.loads(line.rstrip(",")) for line in lines[1:-1]]
    places = [(row["setting"], row["seed"]) for row in rows]
    assert places == [("one", 2), ("one", 10), ("two", 2), ("two", 10)]


def test_a_study_that_never_ran_has_an_empty_record(folders, tmp_path):
    job = Job(tmp_path, load_config(TINY), "one")
    assert Record("tiny").find(job) is None
    assert not (tmp_path / "results").exists()
