"""No space: one message, and what was there before is unharmed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from grokkeras.files import DiskFullError, disk_errors, write_atomic

# Saves ever larger checkpoints into RUN/checkpoints until one does not fit.
FILL = """
import sys
from pathlib import Path
import numpy as np
from grokkeras.checkpoint import CheckpointStore
from grokkeras.errors import GrokkerasError
run, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
(run / "config.yaml").write_text("name: x")
store = CheckpointStore(run / "checkpoints")
for step in range(1, 30):
    try:
        store.save(step, {"w": np.zeros(step * 100_000, np.uint8)}, None, {"s": step}, (step,))
    except GrokkerasError as error:
        print(type(error).__name__, error.exit_code, error)
        break
found, skipped = store.load_newest()
assert skipped == [], skipped
assert found.step == step - 1 and found.arrays["w"].size == (step - 1) * 100_000
assert not list(store.directory.glob(".*")), list(store.directory.iterdir())
store.save(step, {"w": np.zeros(10, np.uint8)}, None, {}, (step,))  # space enough for this one
assert store.load_newest()[0].step == step
"""


def namespace_command():
    """What starts a command with mounts of its own, for root and for users; None if neither can."""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *options]
        probe = 'mount -t tmpfs -o size=64k tmpfs "$0"'
        if (
            shutil.which("unshare")
            and subprocess.run(
                [*command, "sh", "-c", probe, "/mnt"], capture_output=True
            ).returncode
            == 0
        ):
            return command
    return None


def test_a_full_file_system(tmp_path):
    """A real file system of two megabytes, seen by the child process only."""
    unshare = namespace_command()
    if unshare is None:
        pytest.skip("this machine lets nobody mount a small file system; see the test below")
    done = subprocess.run(
        [
            *unshare,
            *("sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$0" -c "$2" "$1" 0'),
            *(sys.executable, str(tmp_path), FILL),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    message = done.stdout
    assert message.startswith("DiskFullError 1 Could not write the checkpoint of step ")
    assert "the disk is full" in message
    assert "bytes are free there" in message
    assert "Earlier checkpoints are unharmed" in message
    assert f"`grokkeras resume {tmp_path}` goes on" in message
    assert message.count("\n") == 1


def test_a_limit_on_file_size(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path), "450000"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DiskFullError 1 Could not write the checkpoint of step 5 ")
    assert "ulimit -f" in done.stdout


def test_a_device_that_is_full():
    with (
        open("/dev/full", "wb", buffering=0) as file,
        pytest.raises(DiskFullError, match="the disk is full"),
        disk_errors("a line", "/dev/full"),
    ):
        file.write(b"x")


def test_other_errors_pass_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "absent" / "file", b"x")


def test_write_atomic_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "summary.json"
    for data in (b"old", b"", b"new" * 1000):
        write_atomic(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["summary.json"]


def test_write_atomic_keeps_the_old_file_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_atomic(path, b"old")

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError, match=r"summary.json .*Make space, then try again"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_written_file_has_the_permissions_of_any_other(tmp_path):
    write_atomic(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
