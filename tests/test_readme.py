"""What the README quotes is what the program says and the records hold."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from helpers import REPO

from grokkeras.cli import program

README = (REPO / "README.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of the lines of a table that begin with a case."""
    lines = re.findall(r"^\| (G\d+.*) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def test_the_refusal(tmp_path, monkeypatch):
    config = re.search(r"```yaml\n(name: my-run\n.*?)```", README, re.DOTALL)[1]
    command, answer = re.search(
        r"\$ grokkeras (run my\.yaml .*?)\n(.*?)```", README, re.DOTALL
    ).groups()
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(config)
    result = CliRunner().invoke(program, command.split(), env={"KERAS_BACKEND": None})
    assert (result.exit_code, result.stderr) == (2, answer)


def test_published_results_are_those_of_the_page():
    page = rows((REPO / "docs" / "reproduction.md").read_text(encoding="utf-8"))
    results = [each for each in page if len(each) == 8]
    named = {(case, published, median): where for case, _, published, median, where, *_ in results}
    quoted = rows(README)
    for what, published, median, where in quoted:
        found = named[what.split(":")[0], published, median]
        assert where == found or "not within" in where, what
    judged = [
        each for each in results if each[7] and each[7] not in ("not comparable", "not run yet")
    ]
    assert len(quoted) == len(judged)
