"""`bench runs`: bounds, the table, and the process that watches a run's memory."""

from __future__ import annotations

import io
import json

import pytest
from helpers import run_on_backend
from rich.console import Console

from grokkeras.bench import whole_runs
from grokkeras.bench.whole_runs import Figure, figures_table
from grokkeras.errors import GrokkerasError


def test_bounds():
    assert Figure("share", 94, "%", 93, at_least=True).met
    assert not Figure("share", 92, "%", 93, at_least=True).met
    assert Figure("memory", 19, "MB", 20).met
    assert not Figure("memory", 21, "MB", 20).met


def test_the_table_says_what_falls_short():
    out = io.StringIO()
    figures = [Figure("one", 94.04, "%", 93, at_least=True), Figure("two", 21, "MB", 20)]
    Console(file=out, width=80).print(figures_table(figures))
    one, two = [line.split() for line in out.getvalue().splitlines() if "at " in line]
    assert one == ["one", "94", "%", "at", "least", "93", "%", "yes"]
    assert two == ["two", "21", "MB", "at", "most", "20", "MB", "no"]


def test_answer_times_are_of_the_program(monkeypatch):
    asked = []
    monkeypatch.setattr(whole_runs, "_seconds_of", lambda a: asked.append(tuple(a)) or len(asked))
    figures = whole_runs.answer_times(lambda line: None)
    assert [figure.value for figure in figures] == [3, 8]  # medians of 1 to 5 and of 6 to 10
    assert set(asked) == {("--help",), ("run", "quickstart", "--set", "task.modulus=1")}


def test_a_command_that_fails_is_told():
    with pytest.raises(GrokkerasError, match="expected"):
        whole_runs.grokkeras_output(["run", "quickstart", "--set", "task.modulus=1"])


def test_memory_of_a_real_run(tmp_path):
    code = f"""
from pathlib import Path
from grokkeras.bench import memory
print("FOUND", memory.json.dumps(
    memory.resident_bytes_by_step("jax", Path({str(tmp_path / "run")!r}), 500)))
"""
    output = run_on_backend("jax", code, timeout=300)
    found = json.loads(output.split("FOUND ")[1])
    steps = [int(step) for step in found]
    assert steps[-1] == 500
    assert steps == sorted(steps)
    assert all(held > 50e6 for held in found.values())
