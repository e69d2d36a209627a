"""The schema read back: which keys a section knows, and in words what a key expects.

Error messages and dumps go by this, so that a field's type is its only description.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Tag
from pydantic.fields import FieldInfo

from grokkeras.config.base import Section
from grokkeras.config.schedule_options import SCHEDULE
from grokkeras.config.schema import RunConfig

# Inherited options come first in pydantic's order, but last for a reader.
_LAST = (
    "train_fraction",
    "val_fraction",
    "stratify",
    "pool_fraction",
    "augment",
    "teacher",
    "label_noise",
    "init",
    "init_scale",
    "init_stddev",
    "init_connections",
    "dtype",
    "jacobian_weight",
    "weight_decay_groups",
    "transforms",
)


# What chooses the class of a section, or of a value.
_FIRST = ("name", "schedule")
_SCHEDULE = Tag(SCHEDULE)


def variants(section: str) -> dict[str, type[Section]]:
    """The classes that `section.name` chooses between, or {} where there is one class only."""
    field = RunConfig.model_fields[section]
    if field.discriminator is None:
        return {}
    return {get_args(c.model_fields["name"].annotation)[0]: c for c in get_args(field.annotation)}


def item_variants(field: FieldInfo) -> dict[str, type[Section]]:
    """The classes that an item's `name` chooses between, or {} where items are plain values."""
    (item,) = get_args(field.annotation) if get_origin(field.annotation) is list else (None,)
    union = get_args(item)[0] if get_origin(item) is Annotated else item
    classes = [cls for cls in get_args(union) if isinstance(cls, type) and issubclass(cls, Section)]
    return {get_args(cls.model_fields["name"].annotation)[0]: cls for cls in classes}


def inner_section(field: FieldInfo) -> type[Section] | None:
    """The class of a mapping within a section, such as `task.teacher`, or None."""
    parts = (field.annotation, *get_args(field.annotation))
    found = [part for part in parts if isinstance(part, type) and issubclass(part, Section)]
    return found[0] if len(found) == 1 else None


def section_class(section: str, name: object = None) -> type[Section] | None:
    """The class of a section; `name` chooses where there are several. None if there is none."""
    choices = variants(section)
    if choices:
        return choices.get(name) if isinstance(name, str) else None
    annotation = RunConfig.model_fields[section].annotation
    for part in (annotation, *get_args(annotation)):  # an optional section is a union with None
        if isinstance(part, type) and issubclass(part, Section):
            return part
    return None


def is_section(key: str) -> bool:
    """Whether a top-level key holds a mapping (`train`) and not a plain value (`seed`)."""
    return bool(variants(key)) or section_class(key) is not None


def keys_in_order(cls: type[Section]) -> list[str]:
    """A section's keys as a reader wants them: `name`, its own options, then the shared ones."""
    keys = list(cls.model_fields)
    return sorted(keys, key=lambda key: (key not in _FIRST or cls is RunConfig, _place(key)))


def _place(key: str) -> int:
    return _LAST.index(key) + 1 if key in _LAST else 0


def homes(key: str, sections: Mapping[Any, object]) -> list[str]:
    """The dotted keys under which `key` is known, given what `section.name` chose."""
    found = [key] if key in RunConfig.model_fields else []
    return found + [
        f"{section}.{key}"
        for section in RunConfig.model_fields
        if key != "name" and any(key in cls.model_fields for cls in classes(section, sections))
    ]


def classes(section: str, sections: Mapping[Any, object]) -> list[type[Section]]:
    """The class that `section.name` chose; all it could choose where that is not to be told."""
    value = sections.get(section)
    chosen = section_class(section, value.get("name") if isinstance(value, Mapping) else None)
    return [chosen] if chosen is not None else list(variants(section).values())


def expected(field: FieldInfo) -> str:
    """What a field takes, in words that follow "expected"."""
    return field.description or _words(field.annotation, field.metadata)


def expected_item(field: FieldInfo) -> str:
    """What one item of a list field takes."""
    return _words(get_args(field.annotation)[0], [])


def choices(annotation: Any) -> list[str]:
    """The texts that a type allows by name: of a Literal, or of a Literal within a union."""
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if get_origin(annotation) in (Union, UnionType, Annotated, list):
        return [name for part in get_args(annotation) for name in choices(part)]
    return []


def takes(annotation: Any, kind: type) -> bool:
    """Whether values of a plain type (`int`, `float`, `bool`) are among those a type allows."""
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return any(takes(part, kind) for part in get_args(annotation))
    return annotation is kind


def takes_schedule(annotation: Any) -> bool:
    """Whether a type allows a schedule in place of a number."""
    if get_origin(annotation) is Annotated and _SCHEDULE in get_args(annotation):
        return True
    if get_origin(annotation) in (Union, UnionType, Annotated, list):
        return any(takes_schedule(part) for part in get_args(annotation))
    return False


def _words(annotation: Any, metadata: list[Any]) -> str:
    if get_origin(annotation) is Annotated and _SCHEDULE in get_args(annotation):
        return "a schedule"
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _words(inner, [*more, *metadata])
    if origin is Literal:
        names = choices(annotation)
        return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    if origin in (Union, UnionType):
        parts = [_words(part, []) for part in get_args(annotation)]
        return (", or " if takes_schedule(annotation) else " or ").join(parts)
    if origin is list:
        return f"a list, each item {_words(get_args(annotation)[0], [])}"
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    words = "null" if annotation is NoneType else plain.get(annotation, "a value")
    return f"{words}{_range(metadata)}"


def _range(metadata: list[Any]) -> str:
    lower = upper = ""
    for rule in metadata:
        match rule:
            case Ge(ge):
                lower = f"{ge:,}"
            case Gt(gt):
                lower = f"above {gt:,}"
            case Le(le):
                upper = f"{le:,}"
            case Lt(lt):
                upper = f"below {lt:,}"
    if not upper:
        return f" {lower}" if lower.startswith("above") else f", {lower} or more" if lower else ""
    if lower.startswith("above"):
        return f" {lower} and {upper}"
    return f" from {lower} to {upper}"
