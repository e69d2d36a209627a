"""The published numbers: one file, the same as in the heads of the configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grokkeras.config import load_config
from grokkeras.config.shipped import find_config
from grokkeras.errors import UserError
from grokkeras.reproduction import all_arms, cases, choose


def head(case):
    text = find_config(f"papers/{case.name.lower()}").read_text(encoding="utf-8")
    comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return " ".join(comment)


def test_all_fifteen_are_there():
    assert [case.name for case in cases()] == [f"G{number}" for number in range(1, 16)]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_numbers_are_those_of_the_configurations_head(case):
    published = re.search(r"Published: (.*?) (?:Open|Data):", head(case))[1]
    numbers = {
        float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", published)
    }
    for arm in case.arms:
        assert {step for step in arm.steps or () if step} <= numbers, (arm.name, published)


def test_arms_differ_and_point_at_arms_that_are_there(tmp_path):
    names = [arm.name for arm in all_arms()]
    assert len(set(names)) == len(names)
    for arm in all_arms():
        assert arm.beside is None or arm.beside in names
        (job,) = arm.jobs([4], tmp_path, "jax")
        assert job.folder == tmp_path / arm.name / "seed-4"
        assert (job.config.name, job.config.seed, job.config.backend) == (arm.name, 4, "jax")
    configs = [arm.jobs([0], tmp_path, "jax")[0].config for arm in all_arms()]
    alike = [c.model_copy(update={"name": "x"}) for c in configs]
    assert all(first != second for k, first in enumerate(alike) for second in alike[:k])


def test_an_arm_without_settings_is_the_file_itself(tmp_path):
    (job,) = choose(["g5"])[0].jobs([2], tmp_path, "torch")
    assert job.config == load_config("papers/g5", {"seed": 2, "backend": "torch"})


def test_which_cases_are_not_comparable():
    assert {case.name for case in cases() if case.why} == {"G9", "G10", "G11", "G13"}
    for case in cases():
        assert all(arm.comparable == (not case.why) for arm in case.arms)


def test_choosing():
    assert [arm.name for arm in choose(["G4", "g7-f0.5", "g4"])] == ["g4", "g7-f0.5"]
    assert len(choose(["G7"])) == 4
    assert choose([]) == all_arms()
    with pytest.raises(UserError, match=r"no published case 'G16'\. Did you mean 'G6'"):
        choose(["G16"])
    with pytest.raises(UserError, match="Did you mean 'g8-plain'"):
        choose(["g8-plan"])


def test_mnist_is_the_users():
    assert {arm.case for arm in all_arms() if arm.needs} == {"G14"}
    assert all(Path(arm.needs).name == arm.needs for arm in all_arms() if arm.needs)
