"""`bench logging`: costs, event files of a real run, scalars, the tab; small and untimed."""

from __future__ import annotations

import json

import pytest
from helpers import run_on_backend

from grokkeras.bench import logging_costs, tab, whole_runs
from grokkeras.config.measures import MEASURES
from grokkeras.detection import Event
from grokkeras.logging.tensorboard import TensorBoardWriter


def test_costs_are_of_medians_beside_no_logs():
    names = list(logging_costs.VARIANTS)
    seconds = dict(zip(names, ([1.0, 1.0, 9.0], [1.02, 0.1, 5.0], [1.2, 1.2, 1.2]), strict=True))
    default, everything = logging_costs.cost_figures(seconds)
    assert (default.value, everything.value) == pytest.approx((2.0, 20.0))
    assert default.met
    assert not everything.met


def test_every_measure_is_in_the_costly_variant():
    settings, bound = logging_costs.VARIANTS["all measures, histograms, images"]
    assert settings["log.measures"].strip("[]").split(", ") == list(MEASURES)
    assert bound == 15


def test_a_variant_is_timed_by_its_summary(monkeypatch):
    def run(arguments):
        folder = logging_costs.Path(arguments[arguments.index("--out") + 1])
        folder.mkdir()
        told = {"steps_per_second": 50.0, "training_share": 0.8}
        (folder / "summary.json").write_text(json.dumps(told))
        asked.append([each for each in arguments if "=" in each])

    asked = []
    monkeypatch.setattr(whole_runs, "grokkeras_output", run)
    seconds = logging_costs._seconds_a_step("jax", logging_costs.VARIANTS["off"][0])
    assert seconds == pytest.approx(1 / 40)
    assert asked == [["log.tensorboard=false", "log.measures=[]"]]


def test_event_files_of_a_real_run():
    size, points = logging_costs.long_run("jax", 300, lambda line: None)
    assert 0 < size.value < 1
    assert 100 < points.value <= 300  # all evaluations up to step 300, once each


def test_scalars_in_a_process_of_their_own(tmp_path):
    code = f"""
from pathlib import Path
from grokkeras.bench import scalars
print("FOUND", scalars.json.dumps(scalars.write_scalars(Path({str(tmp_path)!r}), 1005)))
"""
    found = json.loads(run_on_backend("jax", code).split("FOUND ")[1])
    assert found["scalars"] == 1010
    assert found["tensorflow"] is False
    assert found["bytes"] > 0
    _, points = logging_costs.event_file_content(tmp_path)
    assert sum(points.values()) == 1010


def test_without_a_browser_the_tab_is_skipped_aloud(monkeypatch):
    said = []
    monkeypatch.setattr(tab.shutil, "which", lambda name: None)
    assert tab.tab_figures(said.append) == []
    assert "Skipped: the tab" in said[0]


def test_the_tab_in_a_browser(tmp_path):
    missing = tab.missing_browser()
    if missing:
        pytest.skip(f"needs a browser: {missing}")
    tab.write_runs(tmp_path, 3)
    with tab.board(tmp_path) as address:
        found = tab.open_tab(address, 3)
    assert found["rows"] == 3
    assert found["bytes"] > 10_000
    assert any(name.endswith("/chart.js") for name in found["assets"])
    assert found["seconds"] >= 0


def test_checkpoints_are_no_texts(tmp_path):
    """A long run has thousands: more points than TensorBoard keeps of a tag."""
    writer = TensorBoardWriter(tmp_path)
    writer.event(Event(5, "checkpoint", {"path": "step-00000005"}))
    writer.event(Event(7, "non_finite", {"message": "the loss is NaN"}))
    writer.close()
    _, points = logging_costs.event_file_content(tmp_path)
    assert points == {("train", "events"): 1}
