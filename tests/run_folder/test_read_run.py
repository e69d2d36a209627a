"""A run folder can be read in whatever state it is."""

from __future__ import annotations

import math

import pytest

from grokkeras.config import load_config
from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder, read_run
from grokkeras.run_folder import record as record_module


@pytest.fixture
def path(tmp_path):
    config = load_config(
        {"name": "x", "seed": 3, "task": {"name": "sparse_parity"}, "model": {"name": "mlp"}},
    )
    RunFolder.create(tmp_path / "run", config).unlock()
    return tmp_path / "run"


def test_a_whole_run(path):
    (path / "metrics.jsonl").write_text('{"step": 1, "val_loss": null}\n{"step": 2}\n')
    (path / "events.jsonl").write_text('{"step": 1, "event": "grokking", "detail": {}}\n')
    record = read_run(path)

    assert record.path == path
    assert record.config["seed"] == 3
    assert record.config["optimizer"]["learning_rate"] == 0.001
    assert record.summary["status"] == "running"
    assert record.metrics == [{"step": 1, "val_loss": None}, {"step": 2}]
    assert [event["event"] for event in record.events] == ["grokking"]
    assert record.problems == []


def test_torn_lines_bare_nan_and_what_is_no_object_are_survived(path):
    (path / "metrics.jsonl").write_bytes(
        b'{"step": 1, "val_loss": NaN}\n[1]\nnull\n\xff\xfe\n\n{"step": 2}\n{"step": 3'
    )
    record = read_run(path)

    assert [item["step"] for item in record.metrics] == [1, 2]
    assert math.isnan(record.metrics[0]["val_loss"])
    assert record.problems == ["metrics.jsonl: 5 unreadable lines were left out."]


def test_lines_without_a_step_are_left_out(path):
    (path / "metrics.jsonl").write_text('{"step": 1}\n{}\n{"step": null, "train_loss": 2.0}\n')
    (path / "events.jsonl").write_text('{"event": "grokking"}\n')
    record = read_run(path)

    assert record.metrics == [{"step": 1}]
    assert record.events == []
    assert record.problems == [
        "metrics.jsonl: 2 unreadable lines were left out.",
        "events.jsonl: 1 unreadable lines were left out.",
    ]


def test_lines_that_cannot_be_read_are_named(path, monkeypatch):
    def refuse(file):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(record_module, "read_jsonl", refuse)
    record = read_run(path)
    assert record.config["seed"] == 3
    assert "Permission denied" in record.problems[0]


@pytest.mark.parametrize("name", ["config.yaml", "summary.json"])
@pytest.mark.parametrize("content", [None, b"{", b"[]", b"\xff\xfe\xfd"])
def test_a_missing_or_damaged_file_is_named(path, name, content):
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(content)
    record = read_run(path)

    assert (record.config if name == "config.yaml" else record.summary) == {}
    assert len(record.problems) == 1
    assert name in record.problems[0]


def test_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        read_run(tmp_path / "absent")
    with pytest.raises(UserError, match="holds no run"):
        read_run(tmp_path)
