"""The list of parts that are really run names everything that a configuration can name."""

from typing import get_args

import pytest

from benchmarks.parts import ARRAYS, PARTS, SOURCE
from benchmarks.real_runs import command
from grokkeras.config import load_config
from grokkeras.config.catalog import catalog
from grokkeras.config.data_options import DifficultyName, SymmetryName
from grokkeras.config.overrides import parse_settings
from grokkeras.config.schedule_options import OnEvent


def _names(kind: str) -> set[str]:
    return {part.name for part in PARTS if part.kind == kind}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("optimizer", catalog("optimizers")),
        ("gradient transform", catalog("transforms")),
        ("initial weights", catalog("inits")),
        ("augmentation", get_args(SymmetryName)),
    ],
)
def test_each_name_is_run(kind, names):
    assert _names(kind) >= set(names)


def test_each_schedule_and_event_is_run():
    run = {name.partition(" ")[0] for name in _names("weight decay")}
    events = get_args(OnEvent.model_fields["event"].annotation)
    assert run >= set(catalog("schedules"))
    assert _names("weight decay") >= {f"on_event {event}" for event in events}


def test_each_difficulty_and_loss_is_run():
    difficulties = {name.partition(",")[0] for name in _names("curriculum")}
    assert difficulties >= set(get_args(DifficultyName))
    assert {name.partition(",")[0] for name in _names("loss")} >= set(catalog("losses"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.kind}-{part.name}")
def test_each_part_is_a_sound_configuration(part):
    words = command(part, "tensorflow")
    settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    config = load_config("benchmarks/floor.yaml", parse_settings(settings))
    assert config.name == "floor"
    assert not any(SOURCE in word or ARRAYS in word for word in words)
