"""Settings as dotted keys, and those in which runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grokkeras.run_folder import RunRecord

Kind = tuple[str, ...]


def flatten(mapping: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Nested settings as dotted keys and texts; a schedule stays one text."""
    flat: dict[str, str] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping) and "schedule" not in value:
            flat.update(flatten(value, f"{above}{key}."))
        elif isinstance(value, Mapping):
            flat[f"{above}{key}"] = ", ".join(f"{k} {v}" for k, v in value.items())
        else:
            flat[f"{above}{key}"] = "null" if value is None else str(value)
    return flat


def differing(records: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Keys whose values differ between runs, with each run's value; "-" where it has none."""
    settings = [flatten(record.config) for record in records]
    keys = sorted({key for each in settings for key in each} - {"name"})
    values = {key: [each.get(key, "-") for each in settings] for key in keys}
    return {key: each for key, each in values.items() if len(set(each)) > 1}


def told_apart(differ: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Of what `differing` gave, the settings that tell runs apart: not seed, backend or logs."""
    return {key: values for key, values in differ.items() if _is_compared(key)}


def kinds_of(records: Sequence[RunRecord], compared: Mapping[str, list[str]]) -> list[Kind]:
    """Each run's values of what `told_apart` gave: alike for runs of one kind."""
    return [tuple(values[place] for values in compared.values()) for place in range(len(records))]


def _is_compared(key: str) -> bool:
    return key not in ("seed", "backend") and not key.startswith("log.")
