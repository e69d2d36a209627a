"""What Weights & Biases and MLflow have in common: names of metrics, and what a tracker can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from grokkeras.logging.writer import Writer

_SPLITS = {"train_": "train/", "val_": "validation/"}
_AS_THEY_ARE = ("learning_rate", "weight_decay", "adam_weight_decay", "dropout_rate", "seconds")
_RESULTS = ("memorization_step", "grokking_step", "delay_steps", "steps", "wall_seconds")
_WORDS = ("phase", "stable", "backend")


class Tracker(Writer, Protocol):
    """A writer whose place is a service or a store that holds many runs."""

    def results(self, summary: Mapping[str, Any]) -> None:
        """Takes what `summary.json` holds of a run that has ended."""
        ...

    def end(self, status: str) -> None:
        """Ends the run there.

        Args:
            status: `finished`, `interrupted` or `failed`.
        """
        ...


def metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """An evaluation, a line of `metrics.jsonl`, under the names that both services group by.

    `train/loss`, `validation/accuracy`, `learning_rate`, `measures/weight_norm`; what is None is
    left out.
    """
    found = {}
    for key, value in record.items():
        if key == "step" or value is None:
            continue
        split = next((begin for begin in _SPLITS if key.startswith(begin)), None)
        if split is not None:
            name = _SPLITS[split] + key.removeprefix(split)
        else:
            name = key if key in _AS_THEY_ARE else f"measures/{key}"
        found[name] = float(value)
    return found


def results(summary: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a `summary.json`; what never came is left out."""
    found = {f"results/{key}": summary.get(key) for key in _RESULTS}
    for part in ("final", "best"):
        found |= {f"{part}/{key}": value for key, value in (summary.get(part) or {}).items()}
    return {key: float(value) for key, value in found.items() if value is not None}


def words(summary: Mapping[str, Any]) -> dict[str, str]:
    """The words of a `summary.json`."""
    return {key: str(summary[key]) for key in _WORDS if summary.get(key) is not None}
