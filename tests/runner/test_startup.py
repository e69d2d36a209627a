"""What is there, and what is not loaded, at which moment of a run; and its exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from helpers import BACKENDS, REPO, run_on_backend
from small import SMALL

TESTS = Path(__file__).resolve().parent


def grokkeras(*arguments, path=(), **environ):
    """Starts `python -m grokkeras` in the repository."""
    paths = os.pathsep.join([*map(str, path), str(REPO)])
    return subprocess.Popen(
        [sys.executable, "-m", "grokkeras", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"} | environ,
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_command(out, backend="torch", **settings):
    values = SMALL | {key.replace("__", "."): value for key, value in settings.items()}
    options = [f"--set={key}={json.dumps(value)}" for key, value in values.items()]
    return ["run", "quickstart", "--backend", backend, "--out", out, "--plain", *options]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_folder_is_there_before_the_backend_is_imported(tmp_path, backend):
    """Importing Keras or the backend ends the process, as a kill at that moment would."""
    stubs = tmp_path / "stubs"
    for name in ("keras", backend):
        (stubs / name).mkdir(parents=True, exist_ok=True)
        (stubs / name / "__init__.py").write_text("import os\nos._exit(77)\n")
    out = tmp_path / "run"
    process = grokkeras(*run_command(out, backend), path=[stubs])
    output = process.communicate()
    assert process.returncode == 77, output
    summary = json.loads((out / "summary.json").read_text())
    assert summary["status"] == "running"
    assert summary["steps"] == 0
    assert summary["backend"] == backend
    assert f"backend: {backend}\n" in (out / "config.yaml").read_text()
    assert json.loads((out / "environment.json").read_text())["backend"] == backend


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_tensorflow_is_not_loaded_before_the_last_step(tmp_path, backend):
    code = f"""
        import sys
        sys.path[:0] = [{str(TESTS)!r}]
        from pathlib import Path
        from small import small_config
        from grokkeras.runner import outcome, run

        finish, loaded = outcome.finish, []

        def look(session):
            assert session.step == 60
            loaded.extend(name for name in ("tensorflow", {backend!r}) if name in sys.modules)
            return finish(session)

        outcome.finish = look
        run(small_config({backend!r}, log__tensorboard=True), out=Path({str(tmp_path / "run")!r}))
        print(loaded)
    """
    assert run_on_backend(backend, code).splitlines()[-1] == f"['{backend}']"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_says_nothing_on_the_standard_error_and_ends_with_0(tmp_path, backend):
    process = grokkeras(*run_command(tmp_path / "run", backend, train__max_steps=5))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert errors == ""
    assert "grokkeras board" in output


def test_ctrl_c_on_the_command_line(tmp_path):
    """One line on how to go on, no traceback, exit code 130; `resume` goes on from there."""
    out = tmp_path / "run"
    process = grokkeras(*run_command(out, train__max_steps=1_000_000))
    for line in process.stdout:
        if line.startswith("step 20 "):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    found = re.fullmatch(
        r"Interrupted at step ([\d,]+); a checkpoint was written. "
        rf"Go on with: grokkeras resume {re.escape(str(out))}\n",
        errors,
    )
    assert found, errors
    step = int(found[1].replace(",", ""))
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["steps"]) == ("interrupted", step)

    process = grokkeras("resume", out, "--plain", "--set", f"train.max_steps={step + 10}")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert f"Going on from the checkpoint of step {step:,}." in output


def test_nan_on_the_command_line(tmp_path):
    out = tmp_path / "run"
    process = grokkeras(*run_command(out, optimizer__learning_rate=1e20, train__max_steps=1000))
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert re.fullmatch(r"Error: At step \d+ .* became NaN or infinite, .*\n", errors), errors
    assert "--set optimizer.learning_rate=1e+19" in errors
    assert json.loads((out / "summary.json").read_text())["status"] == "failed"


DISK_FULL = """
mount -t tmpfs -o size=100k tmpfs "$1" || exit 3
shift
"$@" --out "$0/run"
echo "exit code $?"
cp "$0/run/summary.json" "$0/../summary.json"
mount -o remount,size=30m "$0"
"$PYTHON" -m grokkeras resume "$0/run" --plain
echo "exit code $?"
cp -r "$0/run" "$0/../saved"
"""


def test_disk_full(tmp_path):
    """On a real file system of 100 kB: one message, checkpoints unharmed, and then it goes on."""
    unshare = unshare_command()
    if unshare is None:
        pytest.skip("this machine lets nobody mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [sys.executable, "-m", "grokkeras"]
    wanted = run_command("", train__max_steps=400, log__tensorboard=True)
    arguments = [argument for argument in wanted if argument not in ("--out", "")]
    done = subprocess.run(
        [*unshare, "sh", "-c", DISK_FULL, disk, disk, *command, *map(str, arguments)],
        env=os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"},
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert "exit code 1\n" in done.stdout, done.stdout + done.stderr
    assert done.stdout.endswith("exit code 0\n"), done.stdout + done.stderr
    (message,) = done.stderr.splitlines()
    assert re.match(r"Error: Could not write .*: the disk is full; [\d,]+ bytes are free", message)
    assert f"`grokkeras resume {disk / 'run'}` goes on" in message
    assert "Going on from the checkpoint of step " in done.stdout
    assert "Skipped" not in done.stdout
    saved = tmp_path / "saved"
    assert json.loads((saved / "summary.json").read_text())["status"] == "finished"
    assert not list(saved.glob("**/.tmp-*"))
    lines = (saved / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert steps[-1] == 400


def unshare_command():
    """What starts a command with mounts of its own, for root and for users; None if neither can."""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *options]
        probe = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if shutil.which("unshare") and not subprocess.run(probe, capture_output=True).returncode:
            return command
    return None


def filtered(code):
    """What a process writes to its standard error, which runs `code` under `without_greetings`."""
    imports = "import os, sys\nfrom grokkeras.runner.greetings import HARMLESS, without_greetings"
    source = textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", f"{imports}\n{source}"],
        cwd=REPO,
        capture_output=True,
        text=True,
    ).stderr


def test_only_the_greetings_are_left_out():
    assert (
        filtered("""
        os.write(2, b"before\\n")
        with without_greetings():
            os.write(2, f"I0000 00:00 port.cc:153] {HARMLESS[1]} due to ...\\n".encode())
            os.write(2, b"E0000 something else\\n")
            os.write(2, f"W0000 {HARMLESS[2]}\\nWarning: a fan is on fire\\nno line".encode())
        os.write(2, b"after\\n")
    """)
        == "before\nE0000 something else\nWarning: a fan is on fire\nno lineafter\n"
    )


def test_nothing_is_lost_in_an_error_or_a_crash():
    told = filtered("""
        with without_greetings():
            raise RuntimeError("in an import")
    """)
    assert told.endswith("RuntimeError: in an import\n")
    told = filtered("""
        with without_greetings():
            os.write(2, b"F0000 Check failed: the last words\\n")
            os.abort()
    """)
    assert told == "F0000 Check failed: the last words\n"


def test_a_closed_standard_error():
    assert (
        filtered("""
        os.close(2)
        with without_greetings():
            pass
    """)
        == ""
    )


def test_a_child_that_lives_on_does_not_hold_the_run_up():
    assert (
        filtered("""
        import subprocess, time
        with without_greetings():
            child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        print("on it goes", file=sys.stderr)
        child.communicate(b"\\n")
    """)
        == "on it goes\n"
    )
