"""Writes the pages that are made from the program itself: `make docs`.

    cli.md          the help of every command
    bad_input.md    what users get wrong, and the answer each mistake gets

A test compares both with what stands in the repository.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "tests" / "cli")]

from bad_input_cases import CASES, VALID, Case  # noqa: E402

from grokkeras.cli import program  # noqa: E402
from grokkeras.cli.program import COMMANDS  # noqa: E402


def cli_page() -> str:
    """The help of the program and of every command, as Markdown."""
    parts = ["# The command line\n\nMade by `make docs` from the commands' own help.\n"]
    for command in ("", *COMMANDS):
        arguments = [command, "--help"] if command else ["--help"]
        result = CliRunner().invoke(
            program, arguments, prog_name="grokkeras", terminal_width=80, catch_exceptions=False
        )
        parts.append(f"## grokkeras {command}".rstrip() + f"\n\n```text\n{result.output}```\n")
    return "\n".join(parts)


def bad_input_page() -> str:
    """Every mistake of the tests' table with the message it gets, as Markdown."""
    parts = [
        "# What happens to bad input\n\n"
        "Made by `make docs` from the table that `tests/cli/test_bad_input.py` tests. Each of "
        f"these {len(CASES)} mistakes ends with exit code 2, one message and no traceback.\n\n"
        f"Where a case shows no file, `bad.yaml` is sound but for the settings:\n\n"
        f"```yaml\n{VALID}```\n"
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notes.txt").write_text("no run")
        parts += [_case(case, folder) for case in CASES]
    return "\n".join(parts)


def _case(case: Case, folder: str) -> str:
    (Path(folder) / "bad.yaml").write_text(case.config)
    arguments = case.arguments(folder)
    environ = {"KERAS_BACKEND": None, "COLUMNS": "80", **case.environ}
    result = CliRunner().invoke(program, arguments, prog_name="grokkeras", env=environ)
    if result.exit_code != 2:
        raise SystemExit(f"{case.title}: exit code {result.exit_code}, expected 2")
    variables = "".join(f"{name}={value} " for name, value in case.environ.items())
    words = " ".join(f'"{part}"' if re.search(r"[^\w./=+-]", part) else part for part in arguments)
    command = f"$ {variables}grokkeras {words}\n{result.stderr}"
    shown = "" if case.config == VALID else f"```yaml\n{_visible(case.config)}```\n\n"
    text = f"## {case.title}\n\n{shown}```text\n{command.replace(folder, 'DIR')}```\n"
    return text.replace(str(DOCS.parent) + os.sep, "").replace("DIR/bad.yaml", "bad.yaml")


def _visible(config: str) -> str:
    text = config.replace("\t", "<TAB>")
    return text if text.endswith("\n") else text + "\n"


PAGES = {"cli.md": cli_page, "bad_input.md": bad_input_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"wrote docs/{name}")
