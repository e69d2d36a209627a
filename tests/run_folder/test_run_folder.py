"""Making and opening run folders, and every way in which that is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from grokkeras.config import load_config
from grokkeras.errors import ConfigError, UserError
from grokkeras.run_folder import METRIC_KEYS, SUMMARY_KEYS, RunFolder

CONTRACT = [
    "schema_version",
    "status",
    "phase",
    "memorization_step",
    "grokking_step",
    "delay_steps",
    "stable",
    "steps",
    "wall_seconds",
    "steps_per_second",
    "backend",
    "seed",
    "task",
    "model",
    "optimizer",
    "num_parameters",
    "final",
    "best",
]


@pytest.fixture
def config():
    return load_config(
        {
            "name": "tiny",
            "seed": 7,
            "backend": "tensorflow",
            "task": {"name": "modular_arithmetic", "operation": "add"},
            "model": {"name": "mlp"},
        }
    )


def names(path):
    return sorted(child.name for child in path.iterdir())


def test_a_new_folder_can_repeat_the_run_and_says_that_it_is_running(tmp_path, config):
    folder = RunFolder.create(tmp_path / "run", config)

    assert load_config(folder.config_path) == config
    summary = json.loads(folder.summary_path.read_text())
    assert list(summary) == CONTRACT == list(SUMMARY_KEYS)
    assert summary["status"] == "running"
    assert {key: value for key, value in summary.items() if value is not None} == {
        "schema_version": 1,
        "status": "running",
        "steps": 0,
        "backend": "tensorflow",
        "seed": 7,
        "task": "modular_arithmetic",
        "model": "mlp",
        "optimizer": "adamw",
        "final": dict.fromkeys(METRIC_KEYS),
        "best": dict.fromkeys(METRIC_KEYS),
    }


def test_without_out_the_next_number_is_taken(tmp_path, config):
    root = tmp_path / "runs"
    for name in ("tiny-3", "tiny-1-9", "tiny-x", "other-12"):
        (root / name).mkdir(parents=True)

    made = [RunFolder.create(None, config, root=root).path.name for _ in range(2)]
    assert made == ["tiny-4", "tiny-5"]


def test_two_that_start_at_once_get_two_folders(tmp_path, config, monkeypatch):
    """The other run makes its folder between our look and our mkdir."""
    root = tmp_path / "runs"
    listdir = os.listdir

    def slow(path):
        found = listdir(path)
        (root / "tiny-1").mkdir()
        return found

    monkeypatch.setattr(os, "listdir", slow)
    assert RunFolder.create(None, config, root=root).path.name == "tiny-2"


def test_an_empty_folder_and_one_with_other_files_are_fine(tmp_path, config):
    (tmp_path / "notes.txt").write_text("mine")
    assert RunFolder.create(tmp_path, config).path == tmp_path


@pytest.mark.parametrize(
    "name", ["config.yaml", "summary.json", "metrics.jsonl", "events.jsonl", "model.keras"]
)
def test_a_folder_that_holds_a_run_is_refused_and_left_alone(tmp_path, config, name):
    (tmp_path / name).write_text("theirs")
    with pytest.raises(UserError, match=f"already holds a run .it has {name}.*Choose another"):
        RunFolder.create(tmp_path, config)

    assert (tmp_path / name).read_text() == "theirs"
    assert set(names(tmp_path)) <= {name, ".lock"}


def test_a_file_is_refused(tmp_path, config):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(UserError, match="is a file"):
        RunFolder.create(path, config)
    with pytest.raises(UserError, match=r"Cannot write the run folder .*Not a directory"):
        RunFolder.create(path / "run", config)


def as_nobody():
    """Root may write anywhere; the test must not be root."""
    if os.geteuid() == 0:
        os.seteuid(65534)


@pytest.mark.parametrize("exists", [False, True])
def test_a_place_that_cannot_be_written_to_is_refused(tmp_path, config, exists):
    target = tmp_path / "run"
    if exists:
        target.mkdir(mode=0o555)
    tmp_path.chmod(0o555)
    me = os.geteuid()
    try:
        as_nobody()
        with pytest.raises(UserError, match=r"Cannot write the run folder .*Permission denied"):
            RunFolder.create(target, config)
    finally:
        os.seteuid(me)
        tmp_path.chmod(0o755)
    assert target.exists() == exists


def test_a_folder_that_could_not_be_filled_is_not_left_behind(tmp_path, config, monkeypatch):
    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(Exception, match=r"Could not write .*the disk is full.*then try again"):
        RunFolder.create(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_open_reads_what_create_wrote(tmp_path, config):
    made = RunFolder.create(tmp_path / "run", config)
    made.write_summary({**made.read_summary(), "status": "finished", "phase": "grokking"})
    folder = RunFolder.open(tmp_path / "run")

    assert folder.config == config
    assert folder.read_summary()["phase"] == "grokking"


def test_open_says_what_is_missing(tmp_path, config):
    with pytest.raises(UserError, match=r"There is no folder .*absent"):
        RunFolder.open(tmp_path / "absent")
    with pytest.raises(UserError, match=r"holds no run: it has no config.yaml"):
        RunFolder.open(tmp_path)
    folder = RunFolder.create(tmp_path / "run", config)
    with pytest.raises(UserError, match="is a file"):
        RunFolder.open(folder.config_path)
    with pytest.raises(UserError, match="It contains folders of runs; name one of them: run"):
        RunFolder.open(tmp_path)

    folder.summary_path.unlink()
    with pytest.raises(UserError, match=r"has no summary.json.*grokkeras run .*config.yaml` repe"):
        RunFolder.open(folder.path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("[]", "expected a JSON object"),
        ('{"schema_version": 9}', "expected schema_version 1, received 9"),
    ],
)
def test_an_invalid_summary_is_refused(tmp_path, config, content, message):
    folder = RunFolder.create(tmp_path / "run", config)
    folder.summary_path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message):
        RunFolder.open(folder.path)


def test_an_invalid_configuration_is_refused_with_every_fault(tmp_path, config):
    folder = RunFolder.create(tmp_path / "run", config)
    text = folder.config_path.read_text()
    folder.config_path.write_text(text.replace("seed: 7", "seed: -7\nsede: 1"))
    with pytest.raises(ConfigError) as refused:
        RunFolder.open(folder.path)
    assert sorted(fault.key for fault in refused.value.faults) == ["sede", "seed"]


def test_a_summary_keeps_the_contract_s_order_and_is_valid_json(tmp_path, config):
    folder = RunFolder.create(tmp_path / "run", config)
    folder.write_summary(
        {
            "extra": 1,
            "steps_per_second": np.float32(0.5),
            "phase": "confusion",
            "status": "failed",
            "num_parameters": np.int64(3),
            "wall_seconds": float("inf"),
            "best": {"val_accuracy": 0.5, "val_loss": float("nan"), "step": 12},
        }
    )
    text = folder.summary_path.read_text()
    summary = json.loads(text, parse_constant=pytest.fail)

    assert list(summary) == [*CONTRACT, "extra"]
    assert (summary["steps_per_second"], summary["num_parameters"]) == (0.5, 3)
    assert summary["wall_seconds"] is None
    assert summary["best"] == {**dict.fromkeys(METRIC_KEYS), "val_accuracy": 0.5, "step": 12}


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path, config):
    code = (
        "import sys, time\n"
        "from grokkeras.run_folder import RunFolder\n"
        "folder = RunFolder.open(sys.argv[1])\n"
        "folder.lock()\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    folder = RunFolder.create(tmp_path / "run", config)
    folder.unlock()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UserError, match=f"in use by another grokkeras .process {other.pid}."):
            folder.lock()
        other.kill()
        other.wait()
    folder.lock()
    folder.lock()  # holding it already is fine
    with pytest.raises(UserError, match="in use"):
        RunFolder.open(folder.path).lock()


def test_neither_numpy_nor_a_backend_is_imported_before_the_folder_exists(tmp_path):
    code = (
        "import sys\n"
        "from grokkeras.config import load_config\n"
        "from grokkeras.run_folder import RunFolder\n"
        "config = load_config({'name': 'x', 'task': {'name': 'sparse_parity'},\n"
        "                      'model': {'name': 'mlp', 'encoding': 'signed'}})\n"
        "RunFolder.create(sys.argv[1], config)\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'jax', 'torch', 'tensorboard'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=True)
    assert (tmp_path / "run" / "config.yaml").is_file()


def test_the_environment_is_written(tmp_path, config):
    folder = RunFolder.create(tmp_path / "run", config)
    folder.write_environment()
    written = json.loads(folder.environment_path.read_text())
    assert written["backend"] == "tensorflow"
    assert written["versions"]["numpy"] == np.__version__
