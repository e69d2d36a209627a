"""What the tab tells of a run, from its folder or from its curves alone."""

from __future__ import annotations

import json
from pathlib import Path

from event_files import STEPS, record

from grokkeras.tensorboard_plugin.story import flatten, folder_of, tell


def curves(**changes):
    records = [record(step, **changes) for step in STEPS]
    return {
        f"{split}/{name}": (list(STEPS), [each[f"{split}_{name}"] for each in records])
        for split in ("train", "val")
        for name in ("accuracy", "loss")
    }


def test_from_the_curves_alone():
    told = tell("x", None, curves())
    assert (told["memorization_step"], told["grokking_step"], told["delay_steps"]) == (
        100,
        600,
        500,
    )
    assert told["phase"] == "comprehension"
    assert [event["event"] for event in told["events"]] == ["memorization", "plateau", "grokking"]
    assert told["final"] == {"train_accuracy": 1.0, "val_accuracy": 0.99, "test_accuracy": None}
    assert told["problems"] == []
    assert told["status"] is None


def test_a_run_with_no_validation_is_explained():
    told = tell("x", None, {"train/accuracy": ([1, 2], [0.1, 0.2])})
    assert told["phase"] == "confusion"
    assert "No training and validation accuracy" in told["problems"][0]


def test_the_folder_decides_where_there_is_one(tmp_path):
    events = [
        {"step": 70, "event": "memorization", "detail": {}},
        {"step": 90, "event": "checkpoint", "detail": {}},
        {"step": 900, "event": "grokking", "detail": {"delay_steps": 830}},
        {"step": 950, "event": "collapse", "detail": {}},
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    final = {"train_accuracy": 1.0, "val_accuracy": 0.7, "test_accuracy": 0.6}
    (tmp_path / "summary.json").write_text(json.dumps({"status": "finished", "final": final}))
    (tmp_path / "config.yaml").write_text("seed: 3\ndetector: {min_delay: 800}\n")
    told = tell("x", tmp_path, curves())
    assert (told["memorization_step"], told["grokking_step"], told["collapse_step"]) == (
        70,
        900,
        950,
    )
    assert told["phase"] == "grokking"
    assert [event["event"] for event in told["events"]] == ["memorization", "grokking", "collapse"]
    assert told["final"] == final
    assert told["settings"] == {"seed": 3, "detector.min_delay": 800}


def test_the_detectors_settings_are_the_configurations(tmp_path):
    (tmp_path / "config.yaml").write_text(
        "detector: {metric: loss, train_threshold: 0.1, val_threshold: 0.1, collapse_threshold: 3}"
    )
    told = tell("x", tmp_path, curves())
    assert (told["memorization_step"], told["grokking_step"]) == (100, 600)
    (tmp_path / "config.yaml").write_text("detector: {patience: many}")
    assert "cannot be told" in tell("x", tmp_path, curves())["problems"][-1]


def test_no_path_leads_out_of_the_log_directory(tmp_path):
    root = tmp_path / "runs"
    for folder in (tmp_path / "secret", root / "mine"):
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("seed: 1\n")
    (root / "link").symlink_to(tmp_path / "secret")
    assert folder_of(str(root), "mine") == root / "mine"
    for run in ("../secret", "link", "none", "", str(tmp_path / "secret")):
        assert folder_of(str(root), run) is None, run
    assert folder_of("gs://bucket/runs", "mine") is None
    assert folder_of(None, "mine") is None


def test_a_log_directory_inside_the_run_folder(tmp_path):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    assert folder_of(str(tmp_path / "tensorboard"), "") == Path(tmp_path)


def test_flatten():
    nested = {"a": {"b": 1, "c": {"schedule": "cosine", "start": 1}}, "d": [1, 2], "e": None}
    assert flatten(nested) == {
        "a.b": 1,
        "a.c": "{'schedule': 'cosine', 'start': 1}",
        "d": "[1, 2]",
        "e": None,
    }
