"""`grokkeras reproduce` on one short case, in processes of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grokkeras.run_folder import RunFolder


def reproduce(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "grokkeras", "reproduce", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )


def test_the_list_runs_nothing(tmp_path):
    done = reproduce(tmp_path, "--list")
    assert done.returncode == 0, done.stderr
    assert "G7   the fraction sweep of a one-layer transformer (Nanda et al. 2023)" in done.stdout
    assert "     g7-f0.5          50 % of the pairs: 956 steps\n" in done.stdout
    assert "g14-ema          Grokfast EMA: 2,001 steps; needs mnist.npz" in done.stdout
    assert not any(tmp_path.iterdir())


def test_without_the_users_data_a_case_is_left_out(tmp_path):
    done = reproduce(tmp_path, "G14", "--page", "page.md")
    assert done.returncode == 0, done.stderr
    assert "G14, Grokfast EMA: left out, since there is no mnist.npz here." in done.stdout
    assert "| G14 | Grokfast EMA | 2,001 | - | - | - | - | not run yet |" in (
        text := (tmp_path / "page.md").read_text()
    )
    assert "grokkeras reproduce --backend tensorflow\n" in text


def test_the_page_cannot_take_the_records_name_nor_a_damaged_record(tmp_path):
    record = tmp_path / "page.jsonl"
    record.write_text("no record\n")
    refused = reproduce(tmp_path, "G14", "--page", "page.jsonl")
    assert refused.returncode == 2
    assert "expected such as page.md" in refused.stderr
    damaged = reproduce(tmp_path, "G1", "--page", "page.md")
    assert damaged.returncode == 2
    assert "page.jsonl is no record of `grokkeras reproduce`" in damaged.stderr
    assert record.read_text() == "no record\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.jsonl"]


def test_a_case_is_run_once(tmp_path):
    arguments = ("g1", "--seeds", "1", "--backend", "jax", "--page", "page.md")
    done = reproduce(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 run, 1 to do\n[1/1] g1, seed 0: grokked at step ")
    step = RunFolder.open(tmp_path / "runs/reproduce/g1/seed-0").read_summary()["grokking_step"]
    assert step == pytest.approx(111, rel=0.4)
    assert f"| G1 | AdamW | 111 | {step} |" in (tmp_path / "page.md").read_text()
    again = reproduce(tmp_path, *arguments)
    assert again.stdout.startswith("1 run, 1 done before, 0 to do\n")
