"""`recipe: NAME` in a configuration: settings that were found to grok fast, beneath its own keys.

A recipe is a file in `configs/recipes/`: any sections of a configuration but the task. What it was
seen to do stands in `configs/recipes/evidence.json`, written by `benchmarks/recipes.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from grokkeras.config.shipped import RECIPES, first_sentence, shipped_folder
from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import Fault, nearest_name

_NOT_IN = "not in time"


def recipe_files() -> dict[str, Path]:
    """The file of every recipe, by name."""
    folder = shipped_folder("configs")
    files = sorted((folder / RECIPES).glob("*.yaml")) if folder else []
    return {path.stem: path for path in files}


def merge_recipe(data: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """Fills in from the recipe that a configuration names what it leaves open.

    A section is filled in key by key. Where the configuration's own section has another `name`
    than the recipe's, such as another optimizer, the recipe's section is left out: its numbers
    belong to what it names.

    Args:
        data: the plain configuration; stays as it is.

    Returns:
        The new configuration, and a fault if there is no such recipe.
    """
    name = data.get("recipe")
    if not isinstance(name, str):  # none, or a fault that the schema tells
        return {**data}, []
    files = recipe_files()
    if name not in files:
        words = f"one of {', '.join(files)}"
        return {**data}, [Fault("recipe", name, words, nearest_name(name, files))]
    merged = {**data}
    for key, below in _read(files[name]).items():
        own = merged.get(key)
        if key not in merged:
            merged[key] = below
        elif isinstance(own, Mapping) and isinstance(below, Mapping):
            same = own.get("name", below.get("name")) == below.get("name")
            merged[key] = {**below, **own} if same else own
    return merged, []


def describe_recipes() -> dict[str, str]:
    """For `grokkeras list`: the first sentence of every recipe, then a line a task of evidence."""
    evidence = read_evidence()
    described = {}
    for name, path in recipe_files().items():
        lines = [first_sentence(path)]
        for task, rows in evidence.items():
            if name in rows:
                beside = f"; tuned AdamW: {_words(rows['adamw'])}" if "adamw" in rows else ""
                lines.append(f"{task}: {_words(rows[name])}{beside}")
        described[name] = "\n".join(lines)
    return described


def read_evidence() -> dict[str, dict[str, dict[str, Any]]]:
    """What was measured: by task, then by recipe (`adamw`: the tuned AdamW beside it)."""
    folder = shipped_folder("configs")
    path = folder / RECIPES / "evidence.json" if folder else None
    if path is None or not path.is_file():
        return {}
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return found["tasks"]


def _words(row: Mapping[str, Any]) -> str:
    """Such as `214 steps, 5.3 s (3 of 3 seeds)`."""
    share = f"{row['grokked']} of {row['seeds']} seeds"
    if row["steps"] is None:
        return f"{_NOT_IN} ({share})"
    return f"{row['steps']:,} steps, {row['seconds']:.1f} s ({share})"


@cache
def _read(path: Path) -> dict[Any, Any]:
    value, _ = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(value, dict), path
    return value
