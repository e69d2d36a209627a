"""Reads a run folder as plain data, in whatever state a crash or a user left it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import UserError
from grokkeras.logging.jsonl import read_jsonl
from grokkeras.strict_json import number


@dataclass(frozen=True)
class RunRecord:
    """What a run folder holds.

    Attributes:
        path: the folder.
        config: the resolved configuration as nested dicts; empty if it cannot be read.
        summary: `summary.json`; empty if it cannot be read.
        metrics: one dict an evaluation, in order; a value that was not finite is None.
        events: one dict an event, in order: step, event, detail.
        problems: in words, what is missing or could not be read.
    """

    path: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    metrics: list[dict[str, Any]]
    events: list[dict[str, Any]]
    problems: list[str] = field(default_factory=list)


def read_run(path: str | os.PathLike[str]) -> RunRecord:
    """Reads a run folder; files that are missing or damaged are left out and named.

    Raises:
        UserError: there is no such folder, or nothing in it is a run's.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"Expected a run folder, but there is no folder {path}.")
    problems: list[str] = []
    config = _mapping(path / "config.yaml", problems)
    summary = _mapping(path / "summary.json", problems)
    metrics, events = (_lines(path / name, problems) for name in ("metrics.jsonl", "events.jsonl"))
    if not (config or summary or metrics):
        raise UserError(
            f"{path} holds no run: it has no readable config.yaml, summary.json or metrics.jsonl."
        )
    return RunRecord(
        path=path,
        config=config,
        summary=summary,
        metrics=metrics,
        events=events,
        problems=problems,
    )


def _lines(path: Path, problems: list[str]) -> list[dict[str, Any]]:
    try:
        content = read_jsonl(path)
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error}")
        return []
    records = [record for record in content.records if number(record.get("step")) is not None]
    left_out = content.unreadable + len(content.records) - len(records)
    if left_out:
        problems.append(f"{path.name}: {left_out} unreadable lines were left out.")
    return records


def _mapping(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        value = parse_yaml(text, path.name)[0] if path.suffix == ".yaml" else json.loads(text)
    except FileNotFoundError:
        problems.append(f"{path.name} is missing.")
        return {}
    except (OSError, ValueError, UserError) as error:
        problems.append(f"{path.name} cannot be read: {error}")
        return {}
    if not isinstance(value, dict):
        problems.append(f"{path.name} holds no mapping.")
        return {}
    return value
