"""Ratios, verdicts and gains by hand; the page and its pictures from folders."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace

import pytest

from grokkeras.errors import UserError
from grokkeras.logging.jsonl import JsonlWriter
from grokkeras.reproduction import Arm, Result, choose, gains
from grokkeras.reproduction.found import find_all, with_record
from grokkeras.reproduction.page import write_page
from grokkeras.reproduction.words import published, row
from grokkeras.run_folder import RunFolder

ARM = Arm("G5", "g5", "AdamW", steps=(375, 575))


@pytest.mark.parametrize(
    ("steps", "ratio", "verdict"),
    [
        ((400, 500, 900), 1.0, "within 2 times"),
        ((700, 1150, 2000), 2.0, "within 2 times"),
        ((700, 1161, 2000), 1161 / 575, "slower"),
        ((187, 180, 190), 187 / 375, "faster"),
        ((188, 180, 190), 188 / 375, "within 2 times"),
        ((400, None, 500), 1.0, "within 2 times"),
        ((400, None, None), None, "not reproduced"),
        ((400, 500, None, None), None, "not reproduced"),
        ((1000, 1300), 2.0, "within 2 times"),
        ((), None, "not run yet"),
    ],
)
def test_verdicts(steps, ratio, verdict):
    result = Result(ARM, steps)
    assert result.ratio == ratio
    assert result.verdict == verdict


def test_other_verdicts():
    assert Result(replace(ARM, comparable=False), (400,)).verdict == "not comparable"
    assert Result(replace(ARM, comparable=False), (400,)).ratio is None
    assert Result(replace(ARM, steps=None), (400,)).verdict == ""
    assert Result(ARM, (), failures=("NaN",)).verdict == "failed"
    below = replace(ARM, steps=(0, 1500))
    assert Result(below, (200,)).ratio == 1.0
    assert Result(below, (3300,)).verdict == "slower"


def test_words():
    assert published(Result(ARM, ())) == "375 to 575"
    assert published(Result(replace(ARM, steps=(0, 1500)), ())) == "below 1,500"
    assert published(Result(replace(ARM, steps=(21, 21), unit="epochs"), ())) == "21 epochs"
    cells = row(Result(ARM, (1200.0, None, 300.0)))
    assert cells == ("G5", "AdamW", "375 to 575", "1,200", "300 to 1,200", "2 of 3", "2.09",
                     "slower")  # fmt: skip


def test_gains():
    method = Arm("G4", "g4", "Muon", steps=(50, 75), beside="g5")
    results = {"g4": Result(method, (50, 40, 60)), "g5": Result(ARM, (500, 400, 450))}
    (gain,) = gains(results)
    assert gain.ours == 9.0
    assert gain.published == pytest.approx((375 * 575 / 50 / 75) ** 0.5)
    (gain,) = gains({"g4": Result(method, (None,)), "g5": results["g5"]})
    assert gain.ours is None


def finished(job, grokking_step):
    folder = RunFolder.create(job.folder, job.config)
    folder.unlock()
    metrics = JsonlWriter(job.folder / "metrics.jsonl")
    for step, value in ((1, 0.01), (10, 0.4), (100, 1.0)):
        metrics.append({"step": step, "train_accuracy": value, "val_accuracy": value / 2})
    metrics.close()
    summary = {"memorization_step": 33, "grokking_step": grokking_step, "wall_seconds": 7.0}
    folder.write_summary({"status": "finished", **summary})


def test_the_page(tmp_path):
    runs, page = tmp_path / "runs", tmp_path / "docs" / "page.md"
    (arm,) = choose(["g4"])
    for job, step in zip(arm.jobs([0, 1, 5], runs, "jax"), (47, 80, None), strict=True):
        finished(job, step)
    (other,) = choose(["g5"])
    finished(other.jobs([0], runs, "torch")[0], 400)
    (g1,) = choose(["g1"])
    RunFolder.create(g1.jobs([0], runs, "jax")[0].folder, g1.jobs([0], runs, "jax")[0].config)

    found, left_out = find_all(runs, "jax")
    assert len(left_out) == 1
    assert "wanted: backend: jax" in left_out[0]
    write_page(page, found, "jax")
    said = " ".join(page.read_text().split())
    assert "Grokked: a validation accuracy of 100 %, the first time." in said
    assert "Grokked: a validation loss of 0.1, for 5 evaluations." in said
    text = page.read_text()
    assert "| G4 | Muon | 50 to 75 | 80 | 47 to 80 | 2 of 3 | 1.07 | within 2 times |" in text
    assert "| G5 | AdamW | 375 to 575 | - | - | - | - | not run yet |" in text
    assert "| G1 | AdamW | 111 | - | - | - | - | not run yet |" in text
    assert "- Muon: memorized at 33 (33 to 33), grokked at 47, 80, - (seed by seed)" in text
    for name in ("reproduction-steps.png", "reproduction-curves.png"):
        assert f"(images/{name})" in text
        data = (page.parent / "images" / name).read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert width == 2 * (780 if "steps" in name else 768)
        assert height > 300


def test_the_page_without_any_run(tmp_path):
    found, left_out = find_all(tmp_path, "jax")
    assert not left_out
    write_page(tmp_path / "page.md", found, "jax")
    assert "reproduction-curves" not in (tmp_path / "page.md").read_text()
    assert not any(found.values())


def test_the_record_keeps_runs_whose_folders_are_gone(tmp_path):
    runs, record = tmp_path / "runs", tmp_path / "docs" / "page.jsonl"
    (arm,) = choose(["g4"])
    for job, step in zip(arm.jobs([0, 1], runs, "jax"), (47, None), strict=True):
        finished(job, step)
    found, _ = find_all(runs, "jax")
    assert with_record(record, found, "jax") == found
    assert found["g4"][0].curve == [(1, 0.01, 0.005), (10, 0.4, 0.2), (100, 1.0, 0.5)]

    shutil.rmtree(runs)
    (job,) = arm.jobs([1], runs, "jax")
    finished(job, 60)
    found, _ = find_all(runs, "jax")
    assert [run.grokking_step for run in found["g4"]] == [60]
    both = with_record(record, found, "jax")["g4"]
    assert [(run.seed, run.grokking_step) for run in both] == [(0, 47), (1, 60)]
    assert len(record.read_text().splitlines()) == 2

    # What is written comes back as it was, and a folder's run goes before the record's.
    assert with_record(record, {}, "jax")["g4"] == both


def test_the_record_leaves_out_runs_of_other_configurations(tmp_path):
    record = tmp_path / "page.jsonl"
    (arm,) = choose(["g4"])
    finished(arm.jobs([0], tmp_path, "jax")[0], 47)
    with_record(record, find_all(tmp_path, "jax")[0], "jax")
    assert len(with_record(record, {}, "jax")["g4"]) == 1
    assert with_record(record, {}, "torch")["g4"] == []
    assert len(with_record(record, {}, "jax")["g4"]) == 1


def test_a_curve_is_thinned_and_keeps_its_end(tmp_path):
    (arm,) = choose(["g4"])
    (job,) = arm.jobs([0], tmp_path, "jax")
    finished(job, 47)
    metrics = JsonlWriter(job.folder / "metrics.jsonl")
    for step in range(101, 702):
        metrics.append({"step": step, "train_accuracy": 1.0, "val_accuracy": None})
    metrics.close()
    curve = find_all(tmp_path, "jax")[0]["g4"][0].curve
    assert 50 < len(curve) <= 101
    assert curve[0][0] == 1
    assert curve[-1] == (701, 1.0, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"arm": "g4"}', '{"arm": "g4", "speed": 1}'])
def test_something_else_in_the_place_of_the_record_is_refused(tmp_path, text):
    record = tmp_path / "page.jsonl"
    record.write_text(text)
    with pytest.raises(UserError, match="no record of `grokkeras reproduce`"):
        with_record(record, {}, "jax")
    assert record.read_text() == text
