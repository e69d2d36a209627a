"""Whatever a configuration is bent into, the answer is a RunConfig or a refusal, nothing else."""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.config import (
    RunConfig,
    check_memory,
    dump_config,
    estimate_memory,
    load_config,
    parse_settings,
    task_shape,
)
from grokkeras.config.fields import keys_in_order, variants
from grokkeras.config.schema import RunConfig as Schema
from grokkeras.config.yaml_core import format_yaml, parse_yaml
from grokkeras.errors import UserError

os.environ.pop("KERAS_BACKEND", None)

wild_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-3, max_value=130),
    st.sampled_from([10**400, -(10**4000), 2**63, 1e308, 5e-324]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["full", "none", "97", "1e-3", "divide", "loss", "mlp", "adamw", "a b ="]),
)
wild = st.recursive(
    wild_scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


def valid(draw: st.DrawFn) -> dict[str, Any]:
    """Any task, model and optimizer, most of their keys spelt out."""
    chosen = {key: draw(st.sampled_from(list(variants(key)))) for key in ("task", "model")}
    optimizer = draw(st.sampled_from(list(variants("optimizer"))))
    source: dict[str, Any] = {key: {"name": name} for key, name in chosen.items()}
    source["optimizer"] = {"name": optimizer}
    if chosen["task"] == "modular_arithmetic":
        source["task"]["operation"] = draw(st.sampled_from(["add", "divide"]))
    if chosen["task"] == "symmetric_group":
        source["task"]["degree"] = 3
    if chosen["task"] == "arrays":
        source["task"]["path"] = "data.npz"
    if chosen["task"] == "sparse_parity" and chosen["model"] == "mlp":
        source["model"]["encoding"] = draw(st.sampled_from(["signed", "one_hot"]))
    for section, cls in {k: variants(k)[v["name"]] for k, v in source.items()}.items():
        for key, field in cls.model_fields.items():
            if key not in source[section] and not field.is_required() and draw(st.booleans()):
                source[section][key] = field.get_default(call_default_factory=True)
    return source


@st.composite
def valid_configs(draw: st.DrawFn) -> dict[str, Any]:
    return valid(draw)


def mutate(draw: st.DrawFn, source: dict[Any, Any]) -> None:
    """One change of a kind that people and programs make."""
    place: dict[Any, Any] = source
    if draw(st.integers(0, 3)):
        inner = [value for value in source.values() if isinstance(value, dict)]
        if inner:
            place = draw(st.sampled_from(inner))
    known = [key for key in Schema.model_fields if key not in place]
    kind = draw(st.sampled_from(["drop", "retype", "misspell", "wild", "move", "add"]))
    if kind == "add" or not place:
        place[draw(st.sampled_from(known) | st.text(max_size=6))] = draw(wild)
        return
    key = draw(st.sampled_from(list(place)))
    if kind == "drop":
        del place[key]
    elif kind == "retype":
        place[key] = draw(st.sampled_from([str, repr, lambda v: [v], lambda v: {"x": v}]))(
            place[key]
        )
    elif kind == "misspell":
        name = str(key)
        at = draw(st.integers(0, max(len(name) - 1, 0)))
        place[name[:at] + draw(st.sampled_from(["", "x", "_"])) + name[at + 1 :]] = place.pop(key)
    elif kind == "move":
        section = draw(st.sampled_from(list(Schema.model_fields)))
        target = source.setdefault(section, {})
        if isinstance(target, dict) and target is not place:
            target[key] = place.pop(key)
    else:
        place[key] = draw(wild)


@st.composite
def bent_configs(draw: st.DrawFn) -> dict[Any, Any]:
    source = copy.deepcopy(valid(draw))
    for _ in range(draw(st.integers(1, 4))):
        mutate(draw, source)
    return source


def assert_sound(config: RunConfig) -> None:
    """What was accepted can be written, read, counted and held against the memory."""
    assert load_config(parse_yaml(dump_config(config))[0]) == config
    for cls in (type(config.task), type(config.model), type(config.optimizer)):
        assert len(keys_in_order(cls)) == len(cls.model_fields)
    shape = task_shape(config.task)
    if shape is None:
        return
    assert min(shape.num_train, shape.num_val, shape.num_test) >= 1
    assert estimate_memory(config).num_parameters >= 0
    try:
        check_memory(config, 1_000_000_000)
    except UserError as error:
        assert "The largest part is" in str(error)


@given(valid_configs())
def test_sound_configurations_are_accepted_or_say_what_does_not_fit(source: dict[str, Any]) -> None:
    try:
        assert_sound(load_config(source))
    except UserError as error:
        # Chosen at random, only these can clash.
        assert "model.encoding" in str(error) or "tied_head" in str(error)


@settings(max_examples=400)
@given(bent_configs())
def test_bent_configurations_are_accepted_or_refused(source: dict[Any, Any]) -> None:
    before = copy.deepcopy(source)
    try:
        config = load_config(source)
    except UserError as error:
        assert str(error).strip()
    else:
        assert_sound(config)
    assert repr(source) == repr(before)


@given(st.dictionaries(st.text() | st.integers() | st.none(), wild, max_size=4))
def test_any_mapping_is_accepted_or_refused(source: dict[Any, Any]) -> None:
    try:
        assert_sound(load_config(source))
    except UserError as error:
        assert str(error).strip()


@given(st.text(max_size=60) | st.builds(format_yaml, wild))
def test_any_text_is_yaml_or_refused(text: str) -> None:
    try:
        parse_yaml(text)
    except UserError as error:
        assert "not valid YAML" in str(error)


@given(st.lists(st.text(max_size=20), max_size=3), st.text(max_size=10))
def test_any_settings_are_accepted_or_refused(texts: list[str], key: str) -> None:
    source = {"task": {"name": "modular_arithmetic", "operation": "add"}, "model": {"name": "mlp"}}
    try:
        load_config(source, parse_settings([*texts, f"model.{key}=3"]))
    except UserError as error:
        assert str(error).strip()
