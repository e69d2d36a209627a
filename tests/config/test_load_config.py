"""From files, names and mappings to a checked configuration, and back to YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grokkeras.config import RunConfig, dump_config, load_config, parse_settings
from grokkeras.config import backend as backends
from grokkeras.config.fields import variants
from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import ConfigError, UserError

SMALL: dict[str, Any] = {
    "task": {"name": "modular_arithmetic", "operation": "add"},
    "model": {"name": "transformer"},
}


@pytest.fixture(autouse=True)
def _no_backend_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def faults_of(source: Any, overrides: dict[str, object] | None = None) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_config(source, overrides)
    return {fault.key: str(fault) for fault in caught.value.faults}


def test_defaults_are_filled_in() -> None:
    config = load_config(SMALL)
    assert config.seed == 0
    assert config.task.modulus == 97
    assert config.optimizer.name == "adamw"
    assert config.optimizer.weight_decay == 1.0
    assert config.train.batch_size == "full"
    assert config.log.measures[:2] == ["weight_norm", "logit_scale"]


def test_a_whole_number_serves_where_a_number_is_wanted() -> None:
    config = load_config(SMALL, {"optimizer.weight_decay": 2})
    assert config.optimizer.weight_decay == 2.0
    assert isinstance(config.optimizer.weight_decay, float)


def test_overrides_replace_and_reach_sections_that_are_not_there() -> None:
    source = {**SMALL, "seed": 3}
    overrides = {"seed": 4, "train.max_steps": 7, "optimizer.weight_decay": 0.3}
    config = load_config(source, overrides)
    assert (config.seed, config.train.max_steps) == (4, 7)
    assert (config.optimizer.name, config.optimizer.weight_decay) == ("adamw", 0.3)
    assert source == {**SMALL, "seed": 3}


def test_an_override_can_replace_a_section() -> None:
    config = load_config(SMALL, {"model": {"name": "mlp", "width": 5}})
    assert (config.model.name, config.model.width) == ("mlp", 5)


def test_settings_are_yaml() -> None:
    settings = [
        "a.b=1e-3",
        "log.measures=[weight_norm]",
        "x=off",
        "y=",
        "seed=1",
        "seed=2",
        "z= a=b",
    ]
    assert parse_settings(settings) == {
        "a.b": 0.001,
        "log.measures": ["weight_norm"],
        "x": "off",
        "y": None,
        "seed": 2,
        "z": "a=b",
    }


def test_every_bad_setting_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(["novalue", "=3", "a..b=3", "x=[1"])
    assert len(caught.value.faults) == 4


@pytest.mark.parametrize("section", ["task", "model", "optimizer"])
def test_every_variant_survives_a_dump(section: str) -> None:
    for name in variants(section):
        chosen: dict[str, Any] = {"name": name}
        source = {**SMALL, section: chosen}
        if name == "modular_arithmetic":
            chosen["operation"] = "x3+xy2+y"
        if name == "symmetric_group":
            chosen["operation"] = "aba'"
        if name == "arrays":
            chosen["path"] = "~/a: b.npz"
        config = load_config(source)
        text = dump_config(config)
        assert load_config(parse_yaml(text)[0]) == config
        assert next(iter(parse_yaml(text)[0][section])) == "name"


def test_a_dump_has_the_order_of_the_contract() -> None:
    plain = parse_yaml(dump_config(load_config("quickstart")))[0]
    assert list(plain) == [
        *("name", "seed", "backend", "task", "model", "optimizer"),
        *("loss", "dropout", "train", "detector", "log"),
    ]
    assert list(plain["optimizer"]) == [
        *("name", "learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon"),
        *("weight_decay_groups", "transforms"),
    ]
    assert list(plain["task"])[:5] == ["name", "operation", "modulus", "format", "train_fraction"]


def test_a_name_that_looks_like_a_number_survives_a_dump() -> None:
    config = load_config({**SMALL, "name": "1e-3"})
    assert load_config(parse_yaml(dump_config(config))[0]).name == "1e-3"


def test_the_backend_comes_from_override_then_source_then_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_config(SMALL).backend == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert load_config(SMALL, require_backend=False).backend == "torch"
    assert load_config({**SMALL, "backend": "jax"}, require_backend=False).backend == "jax"
    both = load_config({**SMALL, "backend": "jax"}, {"backend": "tensorflow"})
    assert both.backend == "tensorflow"


def test_a_backend_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "is_installed", lambda name: name == "tensorflow")
    source = {**SMALL, "backend": "jax"}
    faults = faults_of({**source, "seed": -1})
    assert set(faults) == {"backend", "seed"}
    assert "pip install 'grokkeras[jax]'" in faults["backend"]
    assert "tensorflow can be used now" in faults["backend"]
    assert load_config(source, require_backend=False).backend == "jax"


def test_checks_across_fields_come_together_with_the_others() -> None:
    faults = faults_of(
        {
            "task": {"name": "modular_arithmetic", "operation": "divide", "modulus": 15, "x": 1},
            "model": {"name": "transformer", "width": 10, "num_heads": 4, "activation": "rleu"},
            "optimizer": {"name": "sgd", "nesterov": True, "learning_rate": "1"},
            "log": {"measures": ["weight_norm", "weight_norm"], "tensorboard": 1},
        }
    )
    assert list(faults) == [
        *("task.x", "task.modulus", "model.activation", "model.num_heads"),
        *("optimizer.learning_rate", "optimizer.nesterov", "log.tensorboard", "log.measures.1"),
    ]


def test_a_check_keeps_quiet_where_its_values_were_refused() -> None:
    faults = faults_of(
        {
            "task": {"name": "modular_arithmetic", "operation": "divide", "modulus": "15"},
            "model": {"name": "transformer", "width": None, "num_heads": 4},
            "train": {"batch_size": 10**6},
        }
    )
    assert set(faults) == {"task.modulus", "model.width"}


def test_received_values_are_cut_short() -> None:
    fault = faults_of(SMALL, {"seed": "x" * 10_000})["seed"]
    assert len(fault) < 400
    assert "a number of thousands of digits" in faults_of(SMALL, {"seed": 10**9000})["seed"]


def test_values_that_contain_themselves_are_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert set(faults_of({**SMALL, "log": {"measures": loop}})) == {"log.measures.0"}
    assert set(faults_of({"task": loop, "model": {"name": loop}})) == {"task", "model.name"}


def test_shipped_configurations_are_found_by_name_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    by_name = load_config("quickstart")
    assert by_name.name == "quickstart"
    for name in ("quickstart.yaml", "configs/quickstart.yaml", Path("configs/quickstart")):
        assert load_config(name) == by_name
    (tmp_path / "quickstart").write_text("seed: -1")
    assert "seed" in faults_of("quickstart")


def test_a_folder_that_holds_a_run_is_answered_with_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 1")
    with pytest.raises(UserError, match="grokkeras resume"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: caf\xe9".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        load_config(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + dump_config(load_config(SMALL)).encode())
    assert load_config(path) == load_config(SMALL)


def test_the_configuration_cannot_be_changed_in_place() -> None:
    config: RunConfig = load_config(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3  # type: ignore[misc]


TRANSFORMS = "optimizer.transforms"


def test_an_override_reaches_into_a_list() -> None:
    source = {**SMALL, "optimizer": {"transforms": ["orthograd", "grokfast"]}}
    config = load_config(source, {f"{TRANSFORMS}.1.lamb": 0.5, f"{TRANSFORMS}.0": "norm_cap"})
    assert [t.model_dump()["name"] for t in config.optimizer.transforms] == ["norm_cap", "grokfast"]
    assert config.optimizer.transforms[1].model_dump()["lamb"] == 0.5
    assert source["optimizer"] == {"transforms": ["orthograd", "grokfast"]}  # stays as it was
    deeper = {"schedule": "piecewise", "boundaries": [5], "values": [1.0, 2.0]}
    source = {**SMALL, "optimizer": {"weight_decay": deeper}}
    config = load_config(source, {"optimizer.weight_decay.values.1": 3.0})
    assert config.optimizer.weight_decay.model_dump()["values"] == [1.0, 3.0]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("2.lamb", "a place from optimizer.transforms.0 to optimizer.transforms.1"),
        ("-1", "the list has 2 items"),
        ("first", "the list has 2 items"),
        ("9" * 5000, "the list has 2 items"),
        ("0.name.deeper", "no plain value at optimizer.transforms.0.name"),
    ],
)
def test_a_place_that_a_list_does_not_have_is_one_fault(place: str, expected: str) -> None:
    source = {**SMALL, "optimizer": {"transforms": ["orthograd", "grokfast"]}}
    faults = faults_of(source, {f"{TRANSFORMS}.{place}": 1})
    assert list(faults) == [f"{TRANSFORMS}.{place}"]
    assert expected in faults[f"{TRANSFORMS}.{place}"]


def test_an_empty_list_has_no_place() -> None:
    faults = faults_of({**SMALL, "optimizer": {"transforms": []}}, {f"{TRANSFORMS}.0": "norm_cap"})
    assert "it is empty" in faults[f"{TRANSFORMS}.0"]
