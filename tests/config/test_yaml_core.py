"""YAML as YAML 1.2's core schema has it, there and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.config.yaml_core import format_yaml, parse_yaml
from grokkeras.errors import UserError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2020-01-01", "2020-01-01"),
        ("off", "off"),
        ("yes", "yes"),
        ("none", "none"),
        ("True", True),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("a b =", "a b ="),
        ("'97'", "97"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    parsed, faults = parse_yaml(f"key: {text}")
    assert parsed == {"key": value}
    assert type(parsed["key"]) is type(value)
    assert faults == []


def test_nan() -> None:
    assert math.isnan(parse_yaml(".NaN")[0])


def test_keys_that_stand_twice_are_faults_with_both_lines() -> None:
    value, faults = parse_yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert value == {"a": 3, "b": {"c": 2}}
    assert {fault.key: fault.expected for fault in faults} == {
        "a": "the key once; it stands in lines 1 and 5",
        "b.c": "the key once; it stands in lines 3 and 4",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1\n", "line 2, column 1"),
        ("[" * 5000, "nested too deeply"),
        ("a: !!python/object:os.system x", "python/object"),
        ("? [1]\n: 2", "unhashable"),
        ("--- 1\n--- 2", "another document"),
        ("a: " + "1" * 5000, "no whole number"),
        ("a: !!float x", "'x' is no number"),
        ("\x00", "special characters"),
    ],
)
def test_what_is_no_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(UserError, match=r"^here is not valid YAML") as caught:
        parse_yaml(text, "here")
    assert words in str(caught.value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), plain, max_size=5))
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    again, faults = parse_yaml(format_yaml(value))
    assert again == value
    assert faults == []
