"""The commands: help, lists, exit codes, and what they hand on to the runner."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import grokkeras.runner
from grokkeras.cli import program
from grokkeras.cli.list_command import KINDS
from grokkeras.cli.program import COMMANDS
from grokkeras.config import RunConfig, dump_config, load_config
from grokkeras.errors import GrokkerasError, UserError

REPO = Path(__file__).parents[2]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="grokkeras")


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grokkeras", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPO,
        **options,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"grokkeras {command}" in result.output.split("Example:")[1]


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom grokkeras.cli import main\nsys.argv = ['grokkeras', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('numpy', 'keras', 'tensorflow', 'jax', 'torch', 'rich', 'pydantic', 'yaml')\n"
        "print('heavy', [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, timeout=60
    )
    assert done.stdout.endswith("heavy []\n"), done.stdout + done.stderr
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


def test_lists_import_no_backend() -> None:
    code = (
        "import sys\nfrom grokkeras.cli import main\nsys.argv = ['grokkeras', 'list']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('heavy', [name for name in ('numpy', 'keras', 'jax') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, timeout=60
    )
    assert done.stdout.endswith("heavy []\n"), done.stdout + done.stderr


def test_list_names_everything() -> None:
    output = invoke("list").output
    for kind in KINDS:
        assert kind in output.splitlines()
    for name in ("modular_arithmetic", "transformer", "muon", "softmax_collapse", "quickstart"):
        assert f"  {name} " in output
    assert "none in this version" not in output
    assert invoke("list", "schedules").output.startswith("constant ")
    assert invoke("list", "models").output.startswith("transformer ")


def test_the_version_is_shown() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.output.startswith("grokkeras ")


def test_run_hands_the_resolved_configuration_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def run(config: RunConfig, **options: Any) -> None:
        given.update(options, config=config)

    monkeypatch.setattr(grokkeras.runner, "run", run)
    result = invoke(
        *("run", "quickstart", "--set", "train.max_steps=7", "--set", "seed=1"),
        *("--seed", "5", "--backend", "jax", "--out", "somewhere", "--plain"),
    )
    assert result.exit_code == 0, result.output
    expected = {"train.max_steps": 7, "seed": 5, "backend": "jax"}
    assert given["config"] == load_config("quickstart", expected)
    assert given["out"] == Path("somewhere")
    assert type(given["display"]).__name__ == "PlainDisplay"


def test_resume_hands_folder_and_overrides_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def resume(run_dir: Path, overrides: dict[str, object], **options: Any) -> None:
        given.update(options, run_dir=run_dir, overrides=overrides)

    monkeypatch.setattr(grokkeras.runner, "resume", resume)
    result = invoke("resume", "runs/x-1", "--set", "train.stop_after_grokking=null")
    assert result.exit_code == 0, result.output
    assert given["run_dir"] == Path("runs/x-1")
    assert given["overrides"] == {"train.stop_after_grokking": None}


class StoppedError(GrokkerasError):
    exit_code = 130


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GrokkerasError("the disk is full"), 1),
        (UserError("that folder holds a run"), 2),
        (StoppedError("resume with this"), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=["failed", "refused", "interrupted run", "interrupted elsewhere"],
)
def test_exit_codes(error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(grokkeras.runner, "run", run)
    result = invoke("run", "quickstart")
    assert result.exit_code == code
    # An interruption is what the user wanted.
    prefix = "" if code == 130 else "Error: "
    assert result.stderr == f"{prefix}{str(error) or 'Interrupted.'}\n"


def test_a_place_that_is_not_the_users_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/theirs/x.html")

    monkeypatch.setattr(grokkeras.runner, "run", run)
    result = invoke("run", "quickstart")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: /theirs/x.html cannot be used: Permission denied.")


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), OSError(errno.EBADF, "ours")])
def test_a_bug_keeps_its_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(grokkeras.runner, "run", run)
    assert invoke("run", "quickstart").exception is error


def test_show_prints_the_story_or_the_summary(tmp_path: Path) -> None:
    summary = {"schema_version": 1, "status": "running", "phase": None, "steps": 3}
    (tmp_path / "config.yaml").write_text(dump_config(load_config("quickstart")))
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    shown = json.loads(invoke("show", str(tmp_path), "--json").output)
    assert shown == {**summary, "forecast": None}
    story = invoke("show", str(tmp_path))
    assert story.exit_code == 0, story.output
    assert "at step 3" in story.output
    assert f"grokkeras resume {tmp_path}" in story.output.replace("\n", " ")


def test_show_json_without_a_summary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(dump_config(load_config("quickstart")))
    result = invoke("show", str(tmp_path), "--json")
    assert result.exit_code == 2
    assert "summary.json is missing" in result.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "grokkeras", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPO,
        timeout=60,
    )
    os.close(write)
    assert done.stderr == ""


def test_board_serves_until_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "run-1/tensorboard/train"
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1.host.1.0").write_bytes(b"")
    process = start("board", str(tmp_path))
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "http://localhost:" in line:
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert "http://localhost:" in said[-1], "".join(said)
    assert process.returncode == 0, rest
    assert "Traceback" not in "".join(said) + rest


def test_board_refuses_a_port_in_use(tmp_path: Path) -> None:
    import socket

    (tmp_path / "events.out.tfevents.1.host.1.0").write_bytes(b"")
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        result = invoke("board", str(tmp_path), "--port", str(port))
    assert result.exit_code == 2
    assert f"Port {port} is in use" in result.stderr
