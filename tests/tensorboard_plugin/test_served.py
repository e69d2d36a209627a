"""The tab in TensorBoard: both loaders, with and without TensorFlow, odd runs, 200 runs."""

from __future__ import annotations

import sys
import tomllib
import urllib.request

import pytest
from boards import (
    ENTRY_POINT,
    data,
    fetch,
    free_port,
    plain_tensorboard,
    serving,
    until_runs,
    without_tensorflow,
)
from event_files import NASTY, STEPS, odd_runs, record, write
from helpers import REPO

DRAWN = sorted(
    [NASTY, "foreign", "half", "infinite", "nan", "one point", "resumed", "sound", "torn"]
)


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    root = tmp_path_factory.mktemp("odd")
    odd_runs(root)
    return root


@pytest.fixture(scope="module")
def board(logdir):
    """`grokkeras board`: the Rust loader, where it is installed."""
    port = free_port()
    command = [sys.executable, "-m", "grokkeras", "board", str(logdir), "--port", str(port)]
    with serving(command, f"http://localhost:{port}") as address:
        until_runs(address, len(DRAWN))
        yield address


@pytest.fixture(scope="module")
def bare_board(logdir, tmp_path_factory):
    """Stock TensorBoard without TensorFlow, the Python loader, behind a path prefix."""
    port, folder = free_port(), tmp_path_factory.mktemp("path")
    without_tensorflow(folder)
    command = plain_tensorboard(
        folder, logdir, port, "--load_fast=false", "--path_prefix=/some/where"
    )
    with serving(command, f"http://localhost:{port}/some/where", folder) as address:
        until_runs(address, len(DRAWN))
        yield address


@pytest.fixture(params=["board", "bare_board"])
def address(request):
    return request.getfixturevalue(request.param)


def test_the_entry_point_is_the_packages():
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    name, _, where = ENTRY_POINT.partition(" = ")
    assert project["entry-points"]["tensorboard_plugins"] == {name: where}


def test_the_tab_is_listed_and_first_in_ours(board, bare_board):
    for address in (board, bare_board):
        tab = fetch(f"{address}/data/plugins_listing")["grokking"]
        assert tab["enabled"]
        assert tab["tab_name"] == "Grokking"
    assert next(iter(fetch(f"{board}/data/plugins_listing"))) == "grokking"


def test_the_page_loads_only_what_is_there(address):
    """Every module that a module imports is served, as a script, and none is from elsewhere."""
    waiting, seen = ["index.js"], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        with urllib.request.urlopen(
            f"{address}/data/plugin/grokking/{name}", timeout=30
        ) as response:
            assert response.headers["Content-Type"].startswith("text/javascript")
            text = response.read().decode()
        imports = [line.split('"')[1] for line in text.splitlines() if line.startswith("import ")]
        assert all(each.startswith("./") for each in imports)
        assert "innerHTML" not in text
        waiting += [each[2:] for each in imports if each[2:] not in seen]
    assert {"chart.js", "feed.js", "table.js"} <= seen


def test_every_readable_run_is_drawn(address):
    answer = data(address, "accuracy", "loss", "weight_norm")
    runs = {run["name"]: run for run in answer["runs"]}
    assert sorted(runs) == DRAWN
    assert {"accuracy", "loss", "weight_norm", "learning_rate"} <= set(answer["names"])
    sound = runs["sound"]
    assert (sound["memorization_step"], sound["grokking_step"]) == (100, 600)
    assert sound["curves"]["train/weight_norm"] == [list(STEPS), [30.0] * len(STEPS)]
    assert sound["curves"]["val/accuracy"][1][0] == 0.1
    assert runs[NASTY]["grokking_step"] == 600
    assert runs["nan"]["curves"]["train/loss"][1][-1] is None
    assert runs["infinite"]["curves"]["val/loss"][1] == [None] * len(STEPS)
    assert runs["one point"]["curves"]["train/accuracy"] == [[1], [0.3]]


def test_steps_written_twice_are_drawn_once(address):
    run = next(each for each in data(address, "accuracy")["runs"] if each["name"] == "resumed")
    steps, values = run["curves"]["val/accuracy"]
    assert steps == list(range(10, 1110, 10))
    assert values[steps.index(500)] == 0.1
    assert values[steps.index(510) :] == [0.5] * 60
    assert run["grokking_step"] is None


def test_a_damaged_run_folder_is_explained(address):
    run = next(each for each in data(address, "accuracy")["runs"] if each["name"] == "torn")
    assert run["memorization_step"] == 100
    said = " ".join(run["problems"])
    assert "summary.json cannot be read" in said
    assert "events.jsonl: 1 unreadable lines were left out" in said


def test_curves_tell_what_a_run_folder_has_lost(address):
    run = next(each for each in data(address, "accuracy")["runs"] if each["name"] == "half")
    assert (run["memorization_step"], run["grokking_step"]) == (100, 600)
    assert "summary.json is missing" in " ".join(run["problems"])


def test_a_run_of_something_else_is_explained(address):
    run = next(each for each in data(address, "accuracy")["runs"] if each["name"] == "foreign")
    assert run["curves"] == {}
    assert run["grokking_step"] is None
    assert "No training and validation accuracy" in " ".join(run["problems"])


def test_nothing_is_sent_twice(address):
    answer = data(address, "accuracy")
    again = data(address, "accuracy", version=answer["version"])
    assert again == {"version": answer["version"], "unchanged": True}
    more = data(address, "accuracy", "loss", version=answer["version"])
    assert "train/loss" in more["runs"][0]["curves"]


def test_two_hundred_runs_move_less_than_a_megabyte(tmp_path):
    """Also without compression they stay below two."""
    for place in range(200):
        write(
            tmp_path / f"run-{place:03d}",
            [record(step, 60 + place, 600 + place) for step in range(1, 1000, 2)],
        )
    port = free_port()
    command = [sys.executable, "-m", "grokkeras", "board", str(tmp_path), "--port", str(port)]
    with serving(command, f"http://localhost:{port}") as address:
        answer = until_runs(address, 200, "accuracy")
        assert all(run["grokking_step"] for run in answer["runs"])
        request = urllib.request.Request(
            f"{address}/data/plugin/grokking/data?name=accuracy",
            headers={"Accept-Encoding": "gzip"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert len(response.read()) < 1_000_000
        full = data(address, "accuracy", full="1")["runs"][0]["curves"]["val/accuracy"][0]
        assert full == list(range(1, 1000, 2))
