"""`grokkeras sweep` as a user meets it: a process, killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from helpers import REPO, wait_for

SMALL = (
    "backend=jax task.modulus=7 model.width=16 model.mlp_width=16 train.max_steps=30",
    "train.checkpoint_every=10 log.tensorboard=false",
)


def start(out, *arguments, settings=()):
    words = [part for each in [*" ".join(SMALL).split(), *settings] for part in ("--set", each)]
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "grokkeras",
            "sweep",
            "quickstart",
            "--out",
            str(out),
            "--workers",
            "1",
            *arguments,
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPO,
        env={key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"},
    )


def next_line(process, word):
    """Reads until a line holds a word."""
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(process.stderr.read())


def test_killed_and_started_again_it_does_what_is_missing(tmp_path):
    arguments = ("--seeds", "0:2", "--grid", "optimizer.learning_rate=1e-3,1e30")
    with start(tmp_path, *arguments) as first:
        told = next_line(first, "[1/")
        first.send_signal(signal.SIGKILL)
    assert "[1/4] learning_rate=0.001, seed 0: did not grok in 30 steps" in told
    done = tmp_path / "learning_rate=0.001" / "seed-0" / "summary.json"
    written = done.stat().st_mtime_ns

    said, errors = (second := start(tmp_path, *arguments)).communicate(timeout=300)
    assert second.returncode == 1, errors
    assert said.splitlines()[0] == "4 runs, 1 done before, 3 to do"
    assert "[4/4]" in said
    assert "2 of 4 runs failed; the others are unharmed." in errors
    table = {line.split()[0]: line.split()[1:4] for line in said.splitlines() if " of " in line}
    assert table["learning_rate=0.001"] == ["0", "of", "2"]
    assert table["learning_rate=1e+30"] == ["0", "of", "0,"]
    assert done.stat().st_mtime_ns == written

    said, _ = (third := start(tmp_path, *arguments)).communicate(timeout=60)
    assert third.returncode == 1
    assert said.startswith("4 runs, 4 done before (2 of them failed; --retry goes on with those)")


def test_ctrl_c_keeps_what_is_made(tmp_path):
    long = ["train.max_steps=2000000", "train.checkpoint_every=1000"]
    sweep = start(tmp_path, "--seeds", "0:2", settings=long)
    checkpoints = tmp_path / "quickstart" / "seed-0" / "checkpoints"
    wait_for(lambda: any(checkpoints.glob("step-*")))
    sweep.send_signal(signal.SIGINT)
    said, errors = sweep.communicate(timeout=120)
    assert sweep.returncode == 130, errors
    assert "quickstart, seed 0: stopped at step" in said
    assert errors == "Stopped; 2 of 2 runs are left. The same command goes on.\n"
    assert not (tmp_path / "quickstart" / "seed-1").exists()
