"""The harness with loops that only pretend: order of turns, medians, ratios, table, JSON."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from grokkeras.bench import harness, process, worker
from grokkeras.bench.results import as_json, ratios
from grokkeras.bench.suite import BACKENDS, Comparison, Measurement, comparisons, measurements
from grokkeras.bench.table import steps_table
from grokkeras.errors import GrokkerasError, UserError

OURS = Measurement("W1", "jax", "ours")
PLAIN = Measurement("W1", "jax", "plain")
FIT = Measurement("W1", "jax", "fit")


class Pretender:
    """A loop whose steps a second are given."""

    def __init__(self, name, rates, diary):
        self.name, self.rates, self.diary = name, iter(rates), diary

    def wait_ready(self):
        self.diary.append(f"ready {self.name}")

    def measure(self, seconds):
        self.diary.append(f"{self.name} {seconds}")
        return next(self.rates)

    def close(self):
        self.diary.append(f"close {self.name}")


def test_loops_take_turns_and_are_closed():
    diary = []
    rates = harness.take_turns(
        [OURS, PLAIN],
        lambda loop: Pretender(loop.kind, [1.0, 2.0], diary),
        repeats=2,
        seconds=0.5,
        say=lambda line: None,
    )
    assert rates == {OURS: [1.0, 2.0], PLAIN: [1.0, 2.0]}
    turns = ["ours 0.5", "plain 0.5"] * 2
    assert diary == ["ready ours", "ready plain", *turns, "close plain", "close ours"]


def test_loops_are_closed_when_one_fails():
    diary = []

    def start(loop):
        return Pretender(loop.kind, [1.0] if loop is OURS else [], diary)

    with pytest.raises(StopIteration):
        harness.take_turns([OURS, PLAIN], start, 1, 0.1, lambda line: None)
    assert diary[-2:] == ["close plain", "close ours"]


def test_medians_and_ratios():
    rates = {OURS: [9.0, 50.0, 10.0], PLAIN: [2.0, 2.5, 1.0], FIT: [4.0, 4.0, 4.0]}
    rows = [Comparison(OURS, PLAIN, 5.0), Comparison(OURS, FIT, 3.0), Comparison(OURS, FIT, None)]
    measured = ratios(rows, rates)
    assert [row.ratio for row in measured] == [5.0, 2.5, 2.5]
    assert [row.met for row in measured] == [True, False, None]
    assert ratios([Comparison(OURS, Measurement("W1", "torch", "plain"), 1.0)], rates) == []

    report = json.loads(json.dumps(as_json(measured, rates)))
    assert report["measurements"][0] == {
        "workload": "W1",
        "backend": "jax",
        "kind": "ours",
        "steps_per_second": [9.0, 50.0, 10.0],
        "median": 10.0,
    }
    assert [row["met"] for row in report["comparisons"]] == [True, False, None]

    console = Console(width=80, record=True, file=io.StringIO())
    console.print(steps_table(measured, 3))
    text = console.export_text()
    assert "plain loop" in text
    assert "…" not in text  # nothing is cut off
    assert [word in text for word in ("5.00", "2.50", "yes", "no")] == [True] * 4


def test_the_targets_of_the_issue():
    rows = comparisons()
    targets = {
        (row.ours.workload, row.ours.backend, row.baseline.kind): row.target
        for row in rows
        if row.target is not None
    }
    assert targets == {
        ("W1", "jax", "plain"): 5.0,
        ("W1", "tensorflow", "plain"): 5.0,
        ("W1", "torch", "plain"): 2.7,
        ("W2", "jax", "plain"): 2.3,
        ("W2", "tensorflow", "plain"): 2.3,
        ("W2", "torch", "plain"): 1.8,
        ("W3", "jax", "fit"): 1.1,
        ("W3", "tensorflow", "fit"): 3.0,
        ("W3", "torch", "fit"): 1.25,
        **{(w, b, "reduced"): 0.92 for w in ("W1", "W2", "W3") for b in ("jax", "tensorflow")},
        ("W1", "torch", "reduced"): 0.85,
        ("W2", "torch", "reduced"): 0.8,
        ("W3", "torch", "reduced"): 0.5,
    }
    assert {row.baseline.backend for row in rows if row.baseline.kind == "plain"} == {
        "jax",
        "torch",
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_backend_takes_its_rows_with_it(backend):
    rest = [name for name in BACKENDS if name != backend]
    loops = measurements(comparisons(rest))
    assert {loop.backend for loop in loops} == set(rest)
    assert len(loops) == len(set(loops))


def test_skipped_backends_are_named(monkeypatch):
    def take_turns(loops, *arguments):
        return {loop: [10.0 if loop.kind == "ours" else 2.0] for loop in loops}

    monkeypatch.setattr(harness, "installed_backends", lambda: ["tensorflow"])
    monkeypatch.setattr(harness, "take_turns", take_turns)
    console = Console(width=120, record=True, file=io.StringIO())
    report = harness.bench_steps(console)
    text = console.export_text()
    assert "jax is not installed (pip install 'grokkeras[jax]')" in text
    assert "torch is not installed" in text
    assert report["skipped_backends"] == ["jax", "torch"]
    assert {row["backend"] for row in report["comparisons"]} == {"tensorflow"}
    assert all(row["ratio"] == 5.0 for row in report["comparisons"])


def test_report_goes_to_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "take_turns", lambda loops, *rest: {x: [1.0] for x in loops})
    harness.run_benches(["steps"], tmp_path / "steps.json")
    report = json.loads((tmp_path / "steps.json").read_text())
    assert report["environment"]["versions"]["keras"]
    assert len(report["steps"]["comparisons"]) == len(comparisons(harness.installed_backends()))


def test_refusals(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="Did you mean 'steps'"):
        harness.run_benches(["stpes"], None)
    with pytest.raises(UserError, match="is no folder"):
        harness.run_benches(["steps"], tmp_path / "nowhere" / "steps.json")
    for found in (None, tmp_path):
        monkeypatch.setattr(process, "shipped_folder", lambda name, found=found: found)
        with pytest.raises(UserError, match="baselines are missing"):
            harness.run_benches(["steps"], None)


def test_worker_answers_each_request():
    answers = []
    worker.serve(
        run=lambda steps: [0.5] * steps,
        chunk=3,
        timer=lambda run, chunk, seconds: (len(run(chunk)), seconds, 0.25),
        requests=["1.5\n", "2\n"],
        answer=answers.append,
    )
    assert answers == [
        {"ready": True, "first_loss": 0.5},
        {"steps": 3, "seconds": 1.5, "loss": 0.25},
        {"steps": 3, "seconds": 2.0, "loss": 0.25},
    ]


def pretend_python(tmp_path, body):
    """An interpreter that ignores what it is asked to run."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return str(script)


def test_process_reads_figures(tmp_path):
    python = pretend_python(
        tmp_path,
        """echo '{"ready": true}'; read x; echo '{"steps": 6, "seconds": 1.5, "loss": 0.1}'
        read x; echo '{"steps": 6, "seconds": 1.5, "loss": NaN}'; read x""",
    )
    with process.WorkerProcess(OURS, python) as loop:
        loop.wait_ready()
        assert loop.measure(0.1) == 4.0
        with pytest.raises(GrokkerasError, match="diverged"):
            loop.measure(0.1)


def test_process_that_dies_says_why(tmp_path):
    python = pretend_python(tmp_path, "echo 'no such thing' >&2; exit 1")
    with (
        process.WorkerProcess(PLAIN, python) as loop,
        pytest.raises(GrokkerasError, match=r"W1, jax: plain loop.*stopped(.|\n)*no such thing"),
    ):
        loop.wait_ready()


def test_a_real_worker_trains():
    """Through the real process: the smallest workload, our loop."""
    with process.WorkerProcess(Measurement("W3", "jax", "reduced")) as loop:
        loop.wait_ready()
        assert loop.measure(0.05) > 0
