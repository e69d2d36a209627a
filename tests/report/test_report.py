"""`grokkeras report` and `explain`: one run, many, broken ones; the file stands by itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from made_runs import circle, made_run
from PIL import Image

from grokkeras.cli import program
from grokkeras.report.network import in_words, read_network
from grokkeras.report.page import report_page
from grokkeras.run_folder import read_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("runs") / "one", circle(31, 5))


def command(*arguments):
    return CliRunner().invoke(program, [*map(str, arguments)], prog_name="grokkeras")


def check_stands_alone(page: str) -> None:
    addresses = re.findall(r"(?:https?:|//)[^\s\"'<)]*", page)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"<(?:script|link|img|iframe|object)\b", page)
    assert not re.findall(r"<[^>]*\son\w+=", page)
    assert "default-src 'none'" in page


def test_one_run(run):
    page = report_page([read_run(run)])
    check_stands_alone(page)
    assert "Memorized at step 100; 500 steps of plateau; grokked at step 600; stable since." in page
    assert "delay 500 steps" in page
    assert "Phase: comprehension (both thresholds were reached, less than 1,000 steps" in page
    assert "Its last stage: grokked." in page
    assert "lives on 1 of 15 frequencies (5)" in page
    assert page.count("<svg") >= 5  # accuracy, loss, spectrum, circle, weight norm
    assert f"grokkeras run {run}/config.yaml" in page
    assert "98.0 %" in page
    assert len(page) < 300_000


def test_many_runs(tmp_path):
    runs = [
        made_run(tmp_path / f"decay {decay} seed {seed}", **{
            "optimizer.weight_decay": decay, "seed": seed
        })
        for decay in (0.5, 1.0)
        for seed in (0, 1)
    ]  # fmt: skip
    page = report_page([read_run(run) for run in runs])
    check_stands_alone(page)
    assert "4 of 4 grokked" in page
    assert "They differ in optimizer.weight_decay" in page
    assert "<li>weight_decay 0.5: 2 of 2 grokked, the median at step 600.</li>" in page
    summaries = [replace(read_run(run), summary={"grokking_step": step})
                 for run, step in zip(runs, (300, None, 400, 600), strict=True)]  # fmt: skip
    mixed = report_page(summaries)
    assert "3 of 4 grokked, the median at step 500." in mixed
    assert "<li>weight_decay 0.5: 1 of 2 grokked.</li>" in mixed
    assert "'" + str(runs[0]) + "/config.yaml'" in page.replace("&#x27;", "'")


def test_the_network_is_read_without_keras(run):
    code = (
        "import sys; from pathlib import Path; from grokkeras.run_folder import read_run; "
        "from grokkeras.report.page import report_page; "
        f"report_page([read_run(Path({str(run)!r}))]); "
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_network_that_memorized(tmp_path):
    noise = np.random.default_rng(0).standard_normal((32, 64)).astype("float32")
    network = read_network(read_run(made_run(tmp_path / "noise", noise)))
    assert network is not None
    assert network.key == []
    assert "memorized" in in_words(network)


def test_permutations(tmp_path):
    from itertools import permutations

    images = np.eye(4)[np.array(list(permutations(range(4))))].reshape(24, 16)
    task = {"name": "symmetric_group", "degree": 4}
    run = made_run(tmp_path / "s4", images.astype("float32"), task=task)
    network = read_network(read_run(run))
    assert network is not None
    assert [network.names[place] for place in network.key] == ["3+1"]
    assert "100 % lies in the representations 3+1" in in_words(network)
    assert "representation" in report_page([read_run(run)])


def test_nothing_of_a_run_is_markup(tmp_path):
    nasty = "<img src=x onerror=alert(1)>"
    run = made_run(tmp_path / f"{nasty} 'x' & \"y\"")
    (run / "config.yaml").write_text(f"name: '{nasty}'\nevil: {{'{nasty}': '{nasty}'}}\n")
    (run / "environment.json").write_text(nasty)
    (run / "events.jsonl").write_text(
        f'{{"step": 5, "event": "non_finite", "detail": {{"message": "{nasty}"}}}}\n'
    )
    other = made_run(tmp_path / "other")
    for records in ([read_run(run)], [read_run(run), read_run(other)]):
        page = report_page(records)
        check_stands_alone(page)
        assert "<img" not in page


@pytest.mark.parametrize(
    "missing", ["config.yaml", "summary.json", "metrics.jsonl", "events.jsonl"]
)
def test_a_folder_that_lacks_a_file(tmp_path, missing):
    run = made_run(tmp_path / "run")
    (run / missing).unlink()
    other = made_run(tmp_path / "other")
    for records in ([read_run(run)], [read_run(run), read_run(other)]):
        check_stands_alone(report_page(records))
    assert command("explain", run).exit_code == 0


def test_metrics_that_are_not_finite(tmp_path):
    run = made_run(tmp_path / "run")
    lines = (run / "metrics.jsonl").read_text().splitlines()
    lines[5] = re.sub(r'"(train_loss|val_accuracy|weight_norm)": [^,}]*', r'"\1": null', lines[5])
    lines[7] = lines[7].replace('"train_loss": ', '"train_loss": NaN, "x": ')
    (run / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 10']))
    check_stands_alone(report_page([read_run(run)]))


def test_the_command_and_its_figures(run, tmp_path):
    result = command("report", run, "--out", tmp_path / "r.html", "--figures", tmp_path / "figures")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    for stem in ("accuracy", "loss", "spectrum", "circle-5", "weight_norm"):
        assert f"{stem}.svg" in names
        with Image.open(tmp_path / "figures" / f"{stem}.png") as image:
            assert image.size[0] > 400


def test_where_the_report_goes_by_default(run, tmp_path):
    assert command("report", run).exit_code == 0
    assert (run / "report.html").is_file()
    result = command("report", run, "--out", tmp_path / "none" / "r.html")
    assert result.exit_code == 2
    assert "no folder" in result.output
    assert command("report", tmp_path / "none").exit_code == 2
    assert command("report").exit_code == 2


def test_explain(run):
    result = command("explain", run)
    assert result.exit_code == 0
    assert "It grokked" in result.output
    assert "95.0 %" in result.output


def test_a_run_that_failed_at_once(tmp_path):
    run = made_run(tmp_path / "failed")
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text(json.dumps({**json.loads(lines[0]), "step": 1}) + "\n")
    (run / "events.jsonl").write_text("")
    summary = json.loads((run / "summary.json").read_text())
    told = {"status": "failed", "steps": 20, "memorization_step": None, "grokking_step": None}
    error = "At step 20 the training loss became NaN, so the run was stopped. Try a lower rate."
    (run / "summary.json").write_text(json.dumps({**summary, **told, "error": error}))
    page = report_page([read_run(run)])
    assert "Failed at step 20: the training loss became NaN, so the run was stopped. N" in page
    assert "Try a lower rate" not in page
    assert "<circle" in page.partition("</svg>")[0]  # the only evaluation, as a dot
    assert "Shaded are" not in page


def test_a_network_on_its_way(tmp_path):
    noise = np.random.default_rng(0).standard_normal((32, 8)).astype("float32")
    network = read_network(read_run(made_run(tmp_path / "way", 0.5 * circle(31, 5) + noise)))
    assert network is not None
    assert 0.1 < network.shares[4] < 0.5
    assert "Frequency 5 stands out of 15" in in_words(network)


def test_runs_that_have_little_in_common_are_told_apart_by_name(tmp_path):
    one = made_run(tmp_path / "one")
    settings = {"learning_rate": 0.002, "weight_decay": 0.5, "beta_1": 0.8, "beta_2": 0.9}
    other = made_run(
        tmp_path / "other",
        **{f"optimizer.{key}": value for key, value in settings.items()},
        **{"train.max_steps": 77, "log.histograms": True},
    )
    page = report_page([read_run(one), read_run(other)])
    assert "<li>one: 1 of 1 grokked, at step 600.</li>" in page
    assert "histograms" not in page
