"""Every mistake in the table is one clear message, exit code 2, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bad_input_cases import CASES, VALID, Case
from click.testing import CliRunner

from grokkeras.cli import program

PROCESSES = [case for case in CASES if case.process]


def titles(case: Case) -> str:
    return case.title


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("no run")
    return tmp_path


def assert_refused(case: Case, exit_code: int, stdout: str, stderr: str) -> None:
    assert exit_code == 2, stdout + stderr
    assert stdout == ""
    assert "Traceback" not in stderr
    assert stderr.count("Error: ") == 1
    for phrase in case.phrases:
        assert phrase.lower() in stderr.lower(), stderr


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 40
    assert len(PROCESSES) >= 10
    assert len({case.title for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=titles)
def test_in_this_process(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bad.yaml").write_text(case.config)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    result = CliRunner().invoke(program, case.arguments(str(folder)), env=case.environ)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert_refused(case, result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("case", PROCESSES, ids=titles)
def test_as_a_process(case: Case, folder: Path) -> None:
    (folder / "bad.yaml").write_text(case.config)
    environ = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | case.environ
    done = subprocess.run(
        [sys.executable, "-m", "grokkeras", *case.arguments(str(folder))],
        capture_output=True,
        text=True,
        env=environ,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert_refused(case, done.returncode, done.stdout, done.stderr)


def test_the_unchanged_configuration_is_sound(folder: Path) -> None:
    """Else every case above might be refused for another reason than its own."""
    from grokkeras.config import load_config

    (folder / "good.yaml").write_text(VALID)
    assert load_config(folder / "good.yaml").name == "example"


def test_a_refusal_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys\n"
        "from grokkeras.cli import main\n"
        "sys.argv = ['grokkeras', 'run', 'quickstart', '--set', 'seed=-1']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 2, end.code\n"
        "print([m for m in ('numpy', 'keras', 'tensorflow', 'jax', 'torch', 'rich')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
