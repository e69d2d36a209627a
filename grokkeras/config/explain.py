"""Turns pydantic's complaints into faults a reader can act on.

Each fault names the dotted key without pydantic's inner tags, what stood there, what would have
been right, and the nearest known name: of a key, of a choice, or of the section a key belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from grokkeras.config import fields
from grokkeras.config.base import Section
from grokkeras.config.schedule_options import SCHEDULE_VARIANTS
from grokkeras.config.schema import RunConfig
from grokkeras.errors import Fault, nearest_name

# Names from other programs and papers, for hints only: none of them is accepted.
SYNONYMS = {
    "alpha": "learning_rate",
    "lr": "learning_rate",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "eps": "epsilon",
    "d_model": "width",
    "hidden_size": "width",
    "hidden_dim": "width",
    "dim": "width",
    "d_mlp": "mlp_width",
    "heads": "num_heads",
    "n_heads": "num_heads",
    "depth": "num_layers",
    "n_layers": "num_layers",
    "p": "modulus",
    "prime": "modulus",
    "op": "operation",
    "frac_train": "train_fraction",
    "steps": "max_steps",
    "num_steps": "max_steps",
    "epochs": "max_steps",
    "batch": "batch_size",
    "metrics": "measures",
}
_SHOWN = 120


class Words:
    """Stands for a received value in a message; its repr is these words, without quotes."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


NOTHING = Words("nothing")


def shown(value: object) -> object:
    """The value itself, or its beginning where all of it would fill the screen."""
    try:
        text = repr(value)
    except ValueError:  # a whole number with more digits than Python prints
        return Words("a number of thousands of digits")
    return value if len(text) <= _SHOWN else Words(f"{text[:_SHOWN]}...")


def explain(error: ValidationError, data: Mapping[Any, Any]) -> list[Fault]:
    """One fault for each key that pydantic refused.

    Args:
        error: from validating `data` as a RunConfig.
        data: the plain configuration.

    Returns:
        The faults, in the order of the schema, one a key.
    """
    faults: dict[str, Fault] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        fault = _fault(item["loc"], item["type"], data)
        faults.setdefault(fault.key, fault)
    return list(faults.values())


def _fault(loc: tuple[Any, ...], kind: str, data: Mapping[Any, Any]) -> Fault:
    top, *rest = loc
    if kind == "invalid_key" and len(rest) <= 2:
        dotted = _dotted(top, rest[-1]) if rest else _dotted(top)
        return Fault(dotted, Words(f"the key {loc[-1]!r}"), "a key that is text")
    if top not in RunConfig.model_fields:
        return _unknown_key(None, str(top), data[top], data, RunConfig)
    value = data.get(top, NOTHING)
    if not fields.is_section(top):
        return _wrong_value(str(top), value, RunConfig.model_fields[top])
    if not isinstance(value, Mapping):
        return Fault(top, shown(value), _section_words(top))
    variants = fields.variants(top)
    name = value.get("name", NOTHING)
    if kind.startswith("union_tag") and not rest:
        near = nearest_name(name, variants) if isinstance(name, str) else None
        return Fault(f"{top}.name", shown(name), f"one of {', '.join(variants)}", near)
    if variants:
        rest = rest[1:]  # pydantic puts the chosen variant's name into the path
    cls = fields.section_class(top, name)
    if cls is None or not rest:
        return Fault(top, shown(value), _section_words(top))
    key = rest[0]
    if key not in cls.model_fields:
        return _unknown_key(top, str(key), value[key], data, cls)
    field = cls.model_fields[key]
    got = value.get(key, NOTHING)
    if isinstance(got, Mapping) and fields.takes_schedule(field.annotation):
        return _fault_in_schedule(_dotted(top, key), got, rest[1:], kind)
    if isinstance(got, list) and len(rest) > 1 and isinstance(rest[1], int):
        index = rest[1]
        dotted = _dotted(top, key, index)
        variants = fields.item_variants(field)
        if variants:
            return _fault_in_item(dotted, got[index], rest[2:], kind, variants)
        return _wrong_item(dotted, got[index], field)
    inner = fields.inner_section(field)
    if inner is not None and isinstance(got, Mapping) and len(rest) > 1:
        return _fault_inside(_dotted(top, key), got, rest[1], inner, str(key))
    return _wrong_value(_dotted(top, key), got, field)


def _dotted(*parts: object) -> str:
    return ".".join(str(part) for part in parts)


def _section_words(section: str) -> str:
    variants = fields.variants(section)
    if variants:
        return f"a mapping with the key name, one of {', '.join(variants)}"
    cls = fields.section_class(section)
    assert cls is not None
    return f"a mapping with keys among {', '.join(fields.keys_in_order(cls))}"


def _wrong_value(key: str, value: object, field: FieldInfo) -> Fault:
    words = fields.expected(field) + _hint(value, field.annotation)
    near = None
    if isinstance(value, str):
        near = nearest_name(value, fields.choices(field.annotation))
    return Fault(key, shown(value), words, near)


def _wrong_item(key: str, value: object, field: FieldInfo) -> Fault:
    near = None
    if isinstance(value, str):
        near = nearest_name(value, fields.choices(field.annotation))
    return Fault(key, shown(value), fields.expected_item(field), near)


def _fault_in_item(
    dotted: str,
    item: object,
    loc: list[Any],
    kind: str,
    variants: Mapping[str, type[Section]],
) -> Fault:
    """A fault of one item of a list whose `name` chooses its options, such as a transform."""
    names = ", ".join(variants)
    plain = not isinstance(item, Mapping)
    if plain and not isinstance(item, str):
        return Fault(dotted, shown(item), f"one of {names}, or a mapping with a name and options")
    options: Mapping[Any, Any] = item if isinstance(item, Mapping) else {"name": item}
    name = options.get("name", NOTHING)
    if not loc:
        near = nearest_name(name, variants) if isinstance(name, str) else None
        return Fault(dotted if plain else f"{dotted}.name", shown(name), f"one of {names}", near)
    cls, key = variants[str(name)], loc[1]
    value, field = options.get(key), cls.model_fields.get(key)
    if field and isinstance(value, Mapping) and fields.takes_schedule(field.annotation):
        return _fault_in_schedule(_dotted(dotted, key), value, loc[2:], kind)
    return _fault_inside(dotted, options, key, cls, str(name))


def _fault_inside(
    dotted: str, options: Mapping[Any, Any], key: Any, cls: type[Section], name: str
) -> Fault:
    """A fault of one key of a mapping within a section or a list."""
    if key in cls.model_fields:
        return _wrong_value(_dotted(dotted, key), options.get(key, NOTHING), cls.model_fields[key])
    known = fields.keys_in_order(cls)
    words = f"a key that {name} knows: {', '.join(known)}"
    return Fault(_dotted(dotted, key), shown(options[key]), words, nearest_name(str(key), known))


def _fault_in_schedule(dotted: str, value: Mapping[Any, Any], loc: list[Any], kind: str) -> Fault:
    """A fault within `{schedule: NAME, ...}`, whose arguments may be schedules again."""
    name = value.get("schedule", NOTHING)
    if kind.startswith("union_tag") and len(loc) == 1:
        near = nearest_name(name, SCHEDULE_VARIANTS) if isinstance(name, str) else None
        words = f"one of {', '.join(SCHEDULE_VARIANTS)}"
        return Fault(f"{dotted}.schedule", shown(name), words, near)
    cls, key, deeper = SCHEDULE_VARIANTS[str(name)], loc[2], _dotted(dotted, loc[2])
    got, rest = value.get(key, NOTHING), loc[3:]
    if key not in cls.model_fields:
        known = fields.keys_in_order(cls)
        words = f"a key that the schedule {name} knows: {', '.join(known)}"
        return Fault(deeper, shown(got), words, nearest_name(str(key), known))
    field = cls.model_fields[key]
    if isinstance(got, list) and rest and isinstance(rest[0], int):
        deeper, got, rest = _dotted(deeper, rest[0]), got[rest[0]], rest[1:]
        if not isinstance(got, Mapping):
            return _wrong_item(deeper, got, field)
    if isinstance(got, Mapping) and fields.takes_schedule(field.annotation):
        return _fault_in_schedule(deeper, got, rest, kind)
    return _wrong_value(deeper, got, field)


def _hint(value: object, annotation: Any) -> str:
    whole = fields.takes(annotation, int)
    if fields.takes(annotation, bool) and str(value).lower() in ("yes", "no", "on", "off"):
        return " (yes, no, on and off are text)"
    if not whole and not fields.takes(annotation, float):
        return ""
    if isinstance(value, Mapping) and "schedule" in value:
        return " (a schedule may not stand here)"
    if isinstance(value, str):
        plain = value.strip().replace("_", "").replace(",", "")
        if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?", plain):
            return f" (written {plain}, without quotes or separators)"
    if whole and isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f" (written {int(value)})"
    return ""


def _unknown_key(
    section: str | None,
    key: str,
    value: object,
    data: Mapping[Any, Any],
    cls: type[Section],
) -> Fault:
    dotted = key if section is None else f"{section}.{key}"
    known = fields.keys_in_order(cls)
    word = SYNONYMS.get(key.lower(), key)
    if word in known:
        return Fault(dotted, shown(value), "a known key", word)
    homes = fields.homes(word, data)
    if homes:
        return Fault(dotted, shown(value), f"this key elsewhere, as {' or '.join(homes)}")
    near = nearest_name(key, known)
    if near is None:
        near = _nearest_elsewhere(key, data)
    where = section or "the top level"
    name = getattr(cls.model_fields.get("name"), "annotation", None)
    if section is not None and fields.variants(section):
        where = f"{section} {fields.choices(name)[0]}"
        owners = [other for other, c in fields.variants(section).items() if key in c.model_fields]
        if owners:
            where += f", unlike {' and '.join(owners)},"
    return Fault(dotted, shown(value), f"a key that {where} knows: {', '.join(known)}", near)


def _nearest_elsewhere(key: str, data: Mapping[Any, Any]) -> str | None:
    dotted: dict[str, str] = {}
    for section in RunConfig.model_fields:
        for cls in fields.classes(section, data):
            for field in cls.model_fields:
                if field != "name":
                    dotted.setdefault(field, f"{section}.{field}")
    near = nearest_name(key, dotted)
    return dotted[near] if near else None
