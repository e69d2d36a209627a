"""`--set optimizer.weight_decay=0.3`: single values in place of the file's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grokkeras.config.explain import Words, shown
from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import ConfigError, Fault, UserError


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
        overrides: values by dotted key.

    Returns:
        The new configuration, and a fault for each key that leads through a plain value.
    """
    result = {**data}
    faults: list[Fault] = []
    for dotted, value in overrides.items():
        *path, last = str(dotted).split(".")
        place: dict[Any, Any] | None = result
        for depth, part in enumerate(path):
            inner = place.get(part, {}) if place is not None else None
            if not isinstance(inner, Mapping):
                words = f"no plain value at {'.'.join(path[: depth + 1])}, which stands there"
                received = Words(f"the setting {dotted}={shown(value)!r}")
                faults.append(Fault(str(dotted), received, words))
                place = None
                break
            assert place is not None
            place[part] = place = {**inner}
        if place is not None:
            place[last] = value
    return result, faults
