"""The forecast in every view of a run that waits: the same words, from the same evaluations."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from waiting_runs import evaluations, falling

from grokkeras.cli import program
from grokkeras.config import dump_config, load_config
from grokkeras.detection import Event
from grokkeras.forecast import forecast_run
from grokkeras.logging.console import PlainDisplay
from grokkeras.logging.curve import plain
from grokkeras.logging.live import LiveDisplay
from grokkeras.report.page import report_page
from grokkeras.run_folder import read_run
from grokkeras.strict_json import dumps
from grokkeras.tensorboard_plugin.story import tell

CONFIG = load_config("quickstart")
MEMORIZED = 100
WAITING = evaluations(falling(MEMORIZED, 3000), until=1500)
STUCK = evaluations([(step, 6.0) for step, _ in falling(MEMORIZED, 3000)], until=1500)


def memorization() -> Event:
    detail = {"confirmed_step": 110, "metric": "accuracy", "threshold": 0.99}
    return Event(MEMORIZED, "memorization", detail)


def follow(display: Any, metrics: list[dict[str, Any]]) -> None:
    display.start(CONFIG, "addition mod 97", [], Path("runs/x"), 0)
    told = False
    for row in metrics:
        display.evaluation(row)
        if row["step"] >= 110 and not told:
            told = True
            display.event(memorization())


def words(metrics: list[dict[str, Any]]) -> str:
    found = forecast_run(metrics, MEMORIZED, None)
    assert found is not None
    return found.brief()


def folder(path: Path, metrics: list[dict[str, Any]], status: str = "running") -> Path:
    path.mkdir()
    (path / "config.yaml").write_text(dump_config(CONFIG))
    (path / "summary.json").write_text(json.dumps({"schema_version": 1, "status": status}))
    (path / "metrics.jsonl").write_text("".join(dumps(row) + "\n" for row in metrics))
    (path / "events.jsonl").write_text(dumps(memorization().to_dict()) + "\n")
    return path


def test_what_the_views_show_is_a_forecast() -> None:
    assert words(WAITING).startswith("groks at about ")
    assert words(STUCK) == "no sign of grokking"


@pytest.mark.parametrize("metrics", [WAITING, STUCK], ids=["waiting", "stuck"])
def test_the_live_view(metrics: list[dict[str, Any]]) -> None:
    display = LiveDisplay(console=Console(file=io.StringIO(), force_terminal=True, width=100))
    follow(display, metrics)
    assert f"forecast     {words(metrics)}" in plain(display.view(100, 40))
    display.event(Event(1500, "grokking", {}))
    assert not [line for line in plain(display.view(100, 40)) if "forecast" in line]
    display.stop()


@pytest.mark.parametrize("metrics", [WAITING, STUCK], ids=["waiting", "stuck"])
def test_plain_lines(metrics: list[dict[str, Any]]) -> None:
    stream = io.StringIO()
    display = PlainDisplay(stream)
    follow(display, metrics)
    before, after = ([e for e in metrics if keep(e["step"])] for keep in (_first, _later))
    lines = stream.getvalue().splitlines()
    assert not [line for line in lines if f"step {before[-1]['step']} /" in line and "grok" in line]
    line = next(line for line in lines if line.startswith("step 1,0"))
    upto = [row for row in after if row["step"] <= int(line[5:].split(" /")[0].replace(",", ""))]
    assert words([*before, *upto]) in line


def _first(step: int) -> bool:
    return step < MEMORIZED


def _later(step: int) -> bool:
    return step >= MEMORIZED


def test_show(tmp_path: Path) -> None:
    for name, metrics, status, begin in (
        ("waits", WAITING, "running", ""),
        ("ended", WAITING, "finished", "if it goes on, it "),
        ("stuck", STUCK, "finished", ""),
    ):
        path = folder(tmp_path / name, metrics, status)
        shown = CliRunner().invoke(program, ["show", str(path)])
        assert shown.exit_code == 0, shown.output
        assert f"Forecast: {begin}{words(metrics)}: " in " ".join(shown.output.split())
        found = json.loads(CliRunner().invoke(program, ["show", str(path), "--json"]).output)
        told = forecast_run(metrics, MEMORIZED, None)
        assert told is not None
        assert found["forecast"] == told.to_dict()


def test_the_report(tmp_path: Path) -> None:
    page = report_page([read_run(folder(tmp_path / "x", WAITING, "finished"))])
    assert f"Forecast: if it goes on, it {words(WAITING)}" in page
    assert "It was stopped on its way" in page
    stuck = report_page([read_run(folder(tmp_path / "y", STUCK, "finished"))])
    assert f"Forecast: {words(STUCK)}" in stuck
    assert "It was stopped on its way" not in stuck


@pytest.mark.parametrize("metrics", [WAITING, STUCK], ids=["waiting", "stuck"])
def test_the_tabs_data(metrics: list[dict[str, Any]]) -> None:
    steps = [row["step"] for row in metrics]
    curves = {
        "train/accuracy": (steps, [float(step >= MEMORIZED) for step in steps]),
        "val/accuracy": (steps, [0.1] * len(steps)),
        "val/loss": (steps, [row["val_loss"] for row in metrics]),
    }
    told = tell("x", None, curves)
    expected = forecast_run(metrics, told["memorization_step"], None)
    assert expected is not None
    assert told["forecast"] == {
        "step": expected.step,
        "low": expected.low,
        "high": expected.high,
        "text": expected.sentence(),
    }
    curves["val/accuracy"] = (steps, [float(step >= 1000) for step in steps])
    assert tell("x", None, curves)["forecast"] is None
