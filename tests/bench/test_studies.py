"""The studies in `benchmarks/`: their settings are sound, their figures right, and they go on."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.studies import architecture, data, forecast_grid, recipes, record, runs
from benchmarks.studies.record import Run
from benchmarks.studies.runs import run_all, summarize, tune
from benchmarks.studies.tables import share, steps, write_table
from grokkeras.config import load_config
from grokkeras.tasks import make_task

TINY = {
    "name": "tiny",
    "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 5},
    "model": {"name": "mlp", "width": 4},
    "train": {"max_steps": 3},
}


def test_a_seed_that_did_not_grok_is_later_than_all_others():
    some = [Run(10, 30, 1.5), Run(20, None, None), Run(12, 20, 2.5)]
    row = summarize(some)
    assert row == {"seeds": 3, "grokked": 2, "steps": 30, "seconds": 2.5, "memorized": 12}
    assert (share(row), steps(row)) == ("2 of 3", "30")
    none = summarize([*some, Run(None, None, None)])
    assert (none["steps"], none["memorized"], steps(none)) == (None, 16, "not in time")
    missing = summarize([])
    assert (share(missing), steps(missing)) == ("not run yet", "")


def test_tuning_prefers_the_share_that_groks_to_speed(monkeypatch):
    found = {
        "fails": [Run(1, 5, 0.1), Run(1, None, None)],
        "slow": [Run(1, 90, 0.1), Run(1, 80, 0.1)],
        "slower": [Run(1, 99, 0.1), Run(1, 100, 0.1)],
    }
    monkeypatch.setattr(runs, "run_all", lambda *arguments: found)
    assert tune("study", {key: {} for key in found}, [0, 1]) == "slow"


def test_a_table_replaces_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("words\n<!-- t -->\nold\n<!-- end t -->\nmore\n")
    write_table(page, "t", ["a", "b"], [["1", "2"]])
    write_table(page, "t", ["a", "b"], [["3", "4"]])
    table = "| a | b |\n| --- | --- |\n| 3 | 4 |"
    assert page.read_text() == f"words\n<!-- t -->\n\n{table}\n\n<!-- end t -->\nmore\n"
    with pytest.raises(ValueError, match="lacks <!-- u -->"):
        write_table(page, "u", ["a"], [])


@pytest.mark.parametrize("operation", data.TASKS)
def test_every_technique_has_as_many_examples_as_none(operation):
    names = []
    for full, made in data.settings(operation, (0.01, 1.0), (0.02, 0.5), 3):
        name = full.split()[0]
        config = load_config(made, {"seed": 3})
        count = len(make_task(config.task, 3).train.x)
        if config.task.teacher is not None:
            count += config.task.teacher.examples
        assert name == "fewer" or abs(count - data.EXAMPLES) <= 1, name
        names.append(name)
    assert set(data.TECHNIQUES) <= set(names)


def test_settings_of_the_other_studies_are_sound():
    made = [recipes.adamw(task, cell) for task in recipes.TASKS for cell in recipes.GRID]
    made += [recipes.recipe(t, n) for t in recipes.TASKS for n in recipes.recipe_files()]
    made += architecture.settings().values()
    made += forecast_grid.settings().values()
    for each in made:
        load_config(each)
    assert len(architecture.settings()) == 2 * len(architecture.DEPTHS)


def test_a_study_does_only_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    said = []
    first = run_all("tiny", {"one": TINY}, [0], say=said.append)
    second = run_all("tiny", {"one": TINY}, [0, 1], say=said.append)
    shutil.rmtree(tmp_path / "tiny")
    third = run_all("tiny", {"one": TINY}, [0, 1], say=said.append)
    assert [len(each["one"]) for each in (first, second, third)] == [1, 2, 2]
    assert said == [
        "1/1 one, seed 0: finished, did not grok",
        "2/2 one, seed 1: finished, did not grok",
    ]
    assert second == third
    assert second["one"][0] == Run(None, None, None, steps=3)


def test_a_source_is_run_anew_only_for_those_that_still_read_it(monkeypatch):
    ended, wanted = {"add teacher"}, {}

    def fake(study, settings, seeds, workers=None, judge=None, folders=False):
        (name,) = settings
        if workers == 0:
            return {name: [Run(1, 2, 3.0)] * (name in ended)}
        wanted[name] = folders
        assert (judge is not None) == (name == "add mixing")
        return {name: [Run(1, 2, 3.0)]}

    monkeypatch.setattr(data, "run_all", fake)
    monkeypatch.setattr(data, "tune", lambda study, grid, seeds: next(iter(grid)))
    monkeypatch.setattr(data, "SEEDS", [0])
    data.study("add")
    rate, decay = data.GRID[0]
    source = f"add small {rate:g} {decay:g}"
    assert [name for name, folders in wanted.items() if folders] == [source]
    assert len(wanted) == 8
