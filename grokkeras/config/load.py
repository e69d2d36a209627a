"""From a file, a run folder's config.yaml or a plain mapping to a checked `RunConfig`.

    config = load_config("quickstart", {"optimizer.weight_decay": 0.3})
    print(dump_config(config))

Every fault is found before any is reported: those of the YAML, of single fields and across fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grokkeras.config import fields
from grokkeras.config.backend import (
    BACKENDS,
    default_backend,
    installed_fault,
    tracker_faults,
)
from grokkeras.config.base import Section
from grokkeras.config.checks import cross_field_faults, data_faults
from grokkeras.config.draft import Draft
from grokkeras.config.explain import Words, explain
from grokkeras.config.overrides import apply_overrides
from grokkeras.config.recipes import merge_recipe
from grokkeras.config.schema import RunConfig
from grokkeras.config.shape import TaskShape
from grokkeras.config.shipped import find_config
from grokkeras.config.yaml_core import format_yaml, parse_yaml
from grokkeras.errors import ConfigError, Fault, UserError


def load_config(
    source: str | Path | Mapping[Any, Any],
    overrides: Mapping[str, object] | None = None,
    *,
    require_backend: bool = True,
    known_faults: Iterable[Fault] = (),
) -> RunConfig:
    """Reads and checks a configuration.

    Args:
        source: a YAML file, the name of a shipped configuration such as `quickstart`, or a
            mapping.
        overrides: values by dotted key, such as `{"optimizer.weight_decay": 0.3}`; they take the
            place of the source's.
        require_backend: refuse a backend, or a package behind `log`, that is not installed. False
            to look at a run that another machine made.
        known_faults: faults found already, such as in the command line, to be told with the rest.

    Returns:
        The configuration with every default filled in. Its backend is the source's, else
        KERAS_BACKEND, else tensorflow.

    Raises:
        ConfigError: it has faults; lists all of them.
        UserError: there is no such file, or it is no YAML.
    """
    faults: list[Fault] = []
    if isinstance(source, Mapping):
        name, data = "the configuration", {**source}
    else:
        path = find_config(source)
        name, (data, faults) = str(path), _read(path)
    data, misplaced = apply_overrides(data, overrides or {})
    data, unknown = merge_recipe(data)
    config, more = _validate(data)
    faults += [*known_faults, *misplaced, *unknown, *more]
    if require_backend and data["backend"] in BACKENDS:
        faults += [missing] if (missing := installed_fault(data["backend"])) else []
    if require_backend and isinstance(log := data.get("log"), Mapping):
        faults += tracker_faults(log)
    if faults or config is None:
        raise ConfigError(_once(faults), name)
    return config


def check_data(config: RunConfig, shape: TaskShape) -> None:
    """Refuses a configuration that does not fit data opened since, as `arrays` has to be.

    Args:
        config: a checked configuration.
        shape: `TaskShape.of_data(data)`.

    Raises:
        ConfigError: batch size, split, encoding or model do not fit the data.
    """
    faults = data_faults(Draft(to_plain(config), ()), shape)
    if faults:
        raise ConfigError(faults)


def dump_config(config: RunConfig) -> str:
    """The resolved configuration as YAML; `load_config` makes an equal object of it."""
    return format_yaml(to_plain(config))


def to_plain(config: RunConfig) -> dict[str, Any]:
    """The resolved configuration as plain data, keys in the order a reader wants them."""
    plain = _plain(config)
    for key in ("recipe", "transfer", "curriculum"):
        if plain[key] is None:
            del plain[key]
    return plain


def _plain(section: Section) -> dict[str, Any]:
    values = {key: getattr(section, key) for key in fields.keys_in_order(type(section))}
    return {key: _plain_value(value) for key, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    return _plain(value) if isinstance(value, Section) else value


def _read(path: Path) -> tuple[dict[Any, Any], list[Fault]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8, so it is no YAML configuration.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    value, faults = parse_yaml(text, str(path))
    if value is None:
        raise UserError(f"{path} is empty; expected a configuration with task and model.")
    if not isinstance(value, dict):
        kind = {"list": "a list", "str": "text"}.get(type(value).__name__, "a single value")
        raise UserError(f"{path} holds {kind}; expected keys such as task, model and optimizer.")
    return value, faults


def _validate(data: dict[Any, Any]) -> tuple[RunConfig | None, list[Fault]]:
    faults: list[Fault] = []
    if "backend" not in data:
        data["backend"], faults = default_backend()
    for key, name in (("optimizer", "adamw"), ("loss", "cross_entropy")):
        section = data.get(key)
        if isinstance(section, Mapping) and "name" not in section:
            data[key] = {"name": name, **section}
    config = None
    try:
        config = TypeAdapter(RunConfig).validate_python(data)
    except ValidationError as error:
        faults += explain(error, data)
    except RecursionError:
        faults.append(Fault("the configuration", Words("a value that contains itself"), "a tree"))
        return None, faults
    faults += cross_field_faults(Draft(data, [fault.key for fault in faults]))
    return config, faults


def _once(faults: list[Fault]) -> list[Fault]:
    """One fault a key, the first, in the order of the schema."""
    first: dict[str, Fault] = {}
    for fault in faults:
        first.setdefault(fault.key, fault)
    sections = list(RunConfig.model_fields)

    def place(fault: Fault) -> int:
        top = fault.key.split(".")[0]
        return sections.index(top) if top in sections else -1

    return sorted(first.values(), key=place)
