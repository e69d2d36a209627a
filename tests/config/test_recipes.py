"""`recipe: NAME`: what it fills in, what it leaves alone, and what `list recipes` tells of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grokkeras.cli import program
from grokkeras.config import dump_config, load_config, recipes
from grokkeras.config.recipes import describe_recipes, recipe_files
from grokkeras.config.shipped import shipped_configs
from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import ConfigError

ADD: dict[str, Any] = {"task": {"name": "modular_arithmetic", "operation": "add"}}
RECIPE = """# Steps large ones. And more.

model: {name: mlp, width: 7, activation: tanh}
optimizer: {name: adamw, learning_rate: 0.25, weight_decay: 3, beta_1: 0.5}
train: {batch_size: 64}
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only recipe is `large`."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "large.yaml").write_text(RECIPE)
    monkeypatch.setattr(recipes, "shipped_folder", lambda name: tmp_path)
    return folder


@pytest.mark.usefixtures("made")
class TestMerging:
    def test_it_fills_in_what_is_left_open(self) -> None:
        config = load_config({**ADD, "recipe": "large"})
        assert (config.model.name, config.model.width) == ("mlp", 7)
        assert config.optimizer.learning_rate == 0.25
        assert config.train.batch_size == 64
        assert config.train.max_steps == 10_000  # the default: neither says anything

    def test_own_keys_win_one_by_one(self) -> None:
        config = load_config({**ADD, "recipe": "large", "optimizer": {"weight_decay": 0}})
        assert (config.optimizer.weight_decay, config.optimizer.learning_rate) == (0, 0.25)

    def test_settings_name_it_and_win_too(self) -> None:
        config = load_config(ADD, {"recipe": "large", "model.width": 9, "train": {}})
        assert (config.model.width, config.model.activation) == (9, "tanh")
        assert config.train.batch_size == 64

    def test_another_model_takes_nothing_from_the_recipes(self) -> None:
        config = load_config({**ADD, "recipe": "large", "model": {"name": "transformer"}})
        assert (config.model.width, config.model.activation) == (128, "relu")
        assert config.optimizer.beta_1 == 0.5

    def test_another_optimizer_takes_none_of_its_numbers(self) -> None:
        config = load_config(ADD, {"recipe": "large", "optimizer.name": "lion"})
        assert config.optimizer.learning_rate == 3e-4

    def test_the_resolved_configuration_names_it_and_repeats_the_run(self, tmp_path: Path) -> None:
        config = load_config({**ADD, "recipe": "large"}, {"optimizer.name": "sgd"})
        path = tmp_path / "config.yaml"
        path.write_text(dump_config(config))
        assert "recipe: large\n" in path.read_text()
        assert load_config(path) == config

    def test_faults_of_the_own_keys_are_told_with_an_unknown_recipe(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config({**ADD, "recipe": "lage", "seed": -1, "model": {"name": "mlp"}})
        told = {fault.key: fault for fault in caught.value.faults}
        assert set(told) == {"recipe", "seed"}
        assert told["recipe"].nearest == "large"

    @pytest.mark.parametrize("wrong", [3, ["large"], True])
    def test_what_is_no_name_is_refused(self, wrong: object) -> None:
        with pytest.raises(ConfigError, match=r"recipe: received .*expected the name of a recipe"):
            load_config({**ADD, "recipe": wrong, "model": {"name": "mlp"}})


def test_it_is_listed_with_its_evidence(made: Path) -> None:
    row = {"seeds": 3, "grokked": 3, "steps": 1214, "seconds": 5.26}
    failed = {"seeds": 3, "grokked": 1, "steps": None, "seconds": None}
    tasks = {"add mod 97": {"large": row, "adamw": failed}, "parity": {"large": failed}}
    (made / "evidence.json").write_text(json.dumps({"tasks": tasks}))
    assert describe_recipes()["large"].splitlines() == [
        "Steps large ones.",
        "add mod 97: 1,214 steps, 5.3 s (3 of 3 seeds); tuned AdamW: not in time (1 of 3 seeds)",
        "parity: not in time (1 of 3 seeds)",
    ]
    output = CliRunner().invoke(program, ["list", "recipes"]).output
    assert output.splitlines()[0].split() == ["large", "Steps", "large", "ones."]
    assert "1,214 steps" in output


@pytest.mark.parametrize("name", recipe_files())
def test_a_shipped_recipe_fits_every_standard_task(name: str) -> None:
    value, faults = parse_yaml(recipe_files()[name].read_text(), name)
    assert not faults
    assert set(value) <= {"model", "optimizer", "loss", "dropout", "train", "detector"}
    for task in (ADD["task"], {"name": "symmetric_group"}, {"name": "sparse_parity"}):
        config = load_config({"task": task, "recipe": name}, require_backend=False)
        for section, keys in value.items():
            for key, expected in keys.items():
                assert getattr(getattr(config, section), key) == expected or isinstance(
                    expected, dict | list
                )


def test_recipes_are_no_configurations() -> None:
    assert {"fast", "fastest", "no_weight_decay"} <= set(recipe_files())
    assert not [name for name in shipped_configs() if "recipes" in name]
