"""`summary.json`: always the same keys in the same order, null where a value is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from grokkeras.errors import UserError

SCHEMA_VERSION = 1

SUMMARY_KEYS = (
    "schema_version",
    "status",
    "phase",
    "memorization_step",
    "grokking_step",
    "delay_steps",
    "stable",
    "steps",
    "wall_seconds",
    "steps_per_second",
    "backend",
    "seed",
    "task",
    "model",
    "optimizer",
    "num_parameters",
    "final",
    "best",
)

# Within `final` and `best`.
METRIC_KEYS = (
    "train_accuracy",
    "val_accuracy",
    "test_accuracy",
    "train_loss",
    "val_loss",
    "test_loss",
)


def complete(values: Mapping[str, object]) -> dict[str, object]:
    """`values` with every key of the contract, in order; further keys follow."""
    summary: dict[str, object] = {key: values.get(key) for key in SUMMARY_KEYS}
    summary["schema_version"] = SCHEMA_VERSION
    for group in ("final", "best"):
        given = values.get(group)
        known = given if isinstance(given, Mapping) else {}
        summary[group] = {**dict.fromkeys(METRIC_KEYS), **known}
    return {**summary, **{key: value for key, value in values.items() if key not in summary}}


def read(path: Path) -> dict[str, object]:
    """Reads a `summary.json`.

    Raises:
        UserError: it is missing, no JSON object, or a later version's.
    """
    repeat = f"`grokkeras run {path.parent / 'config.yaml'}` repeats the run in a new folder."
    try:
        summary = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{path.parent} has no summary.json: the run was stopped before it began, or the "
            f"file was removed. {repeat}"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}). {repeat}") from error
    if not isinstance(summary, dict):
        raise UserError(f"{path}: expected a JSON object, received {summary!r}. {repeat}")
    version = summary.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path}: expected schema_version {SCHEMA_VERSION}, received {version!r}. "
            f"Read it with the version of grokkeras that wrote it."
        )
    return summary
