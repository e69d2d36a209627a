"""`--set optimizer.weight_decay=0.3`: single values in place of the file's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grokkeras.config.explain import Words, shown
from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import ConfigError, Fault, UserError

_TRANSFORMS = ["optimizer", "transforms"]


def parse_settings(settings: Iterable[str]) -> dict[str, object]:
    """As `read_settings`, but refuses faults at once.

    Raises:
        ConfigError: texts that are no setting, all of them.
    """
    overrides, faults = read_settings(settings)
    if faults:
        raise ConfigError(faults, "the command line")
    return overrides


def read_settings(settings: Iterable[str]) -> tuple[dict[str, object], list[Fault]]:
    """The overrides that a command line's `--set` options mean.

    Args:
        settings: texts such as `train.max_steps=500` or `log.measures=[weight_norm]`; the value
            is YAML. Of two for the same key the last counts.

    Returns:
        Values by dotted key, and a fault for each text that is no setting.
    """
    overrides: dict[str, object] = {}
    faults: list[Fault] = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            example = "one, such as optimizer.weight_decay=0.3"
            faults.append(Fault(f"--set {shown(setting)}", Words("no KEY=VALUE"), example))
            continue
        try:
            value, doubled = parse_yaml(text, f"The value of {key}")
        except UserError as error:
            faults.append(Fault(key, text, f"a value in YAML ({error})"))
            continue
        faults += [Fault(f"{key}.{f.key}", f.received, f.expected) for f in doubled]
        overrides[key] = value
    return overrides, faults


def apply_overrides(data: Mapping[Any, Any], overrides: Mapping[str, object]) -> tuple[Any, Any]:
    """Puts values in place.

    Args:
        data: the plain configuration; stays as it is.
        overrides: values by dotted key. A number in it is a place in a list that stands there,
            counted from 0.

    Returns:
        The new configuration, and a fault for each key that leads through a plain value or to a
        place that a list does not have.
    """
    result: Any = {**data}
    faults: list[Fault] = []
    for dotted, value in overrides.items():
        try:
            result = _put(result, str(dotted).split("."), 0, value)
        except _NoPlaceError as error:
            received = Words(f"the setting {dotted}={shown(value)!r}")
            faults.append(Fault(str(dotted), received, str(error)))
    return result, faults


class _NoPlaceError(Exception):
    """A dotted key leads nowhere; the message says what would be right."""


def _put(node: Any, path: Sequence[str], depth: int, value: object) -> Any:
    """A copy of `node` in which `value` stands at `path[depth:]`."""
    if depth == len(path):
        return value
    part, at = path[depth], ".".join(path[:depth])
    if isinstance(node, list):
        if not (re.fullmatch("[0-9]{1,6}", part) and int(part) < len(node)):
            raise _NoPlaceError(_places(at, len(node)))
        index = int(part)
        return [*node[:index], _put(node[index], path, depth + 1, value), *node[index + 1 :]]
    if isinstance(node, str) and path[:2] == _TRANSFORMS and depth == 3:
        node = {"name": node}  # `grokfast` is short for `{name: grokfast}`
    if not isinstance(node, Mapping):
        raise _NoPlaceError(f"no plain value at {at}, which stands there")
    return {**node, part: _put(node.get(part, {}), path, depth + 1, value)}


def _places(dotted: str, count: int) -> str:
    match count:
        case 0:
            return f"the whole list, {dotted}=[...]; it is empty"
        case 1:
            return f"{dotted}.0: the list has one item"
    return f"a place from {dotted}.0 to {dotted}.{count - 1}: the list has {count} items"
