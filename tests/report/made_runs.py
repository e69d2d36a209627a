"""Run folders made by hand: what a run of a given kind would have left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.config import load_config
from grokkeras.run_folder import RunFolder, RunRecord, read_run
from grokkeras.strict_json import dumps

EVENTS = ("memorization", "grokking", "collapse")


def evaluation(step: int, **changes: Any) -> dict[str, Any]:
    values = {
        "train_loss": 4.0 / step,
        "train_accuracy": min(1.0, step / 100),
        "val_loss": 5.0,
        "val_accuracy": 0.1,
        "learning_rate": 0.001,
        "weight_decay": 1.0,
        "dropout_rate": 0.0,
        "weight_norm": 40.0,
        "softmax_collapse": 0.0,
    }
    return {"step": step, "seconds": 0.1 * step, **values, **changes}


def record(
    metrics: list[dict[str, Any]],
    events: dict[str, int] | None = None,
    config: dict[str, Any] | None = None,
    **summary: Any,
) -> RunRecord:
    """A record as `read_run` gives it, without a folder."""
    listed = [{"step": step, "event": name, "detail": {}} for name, step in (events or {}).items()]
    return RunRecord(Path("runs/made"), config or {}, summary, metrics, listed)


def made_run(path: Path, weights: np.ndarray | None = None, **settings: Any) -> Path:
    """A finished run folder that grokked at step 600, with a checkpoint if there are weights."""
    config = load_config("quickstart", {"task.modulus": 31, **settings})
    folder = RunFolder.create(path, config)
    steps = range(10, 1010, 10)
    metrics = [
        evaluation(
            step,
            val_accuracy=0.99 if step >= 600 else 0.1,
            val_loss=0.05 if step >= 600 else 5.0,
            weight_norm=50.0 - step / 50,
        )
        for step in steps
    ]
    events = [
        {"step": 100, "event": "memorization", "detail": {}},
        {"step": 600, "event": "grokking", "detail": {"delay_steps": 500}},
    ]
    folder.metrics_path.write_text("".join(dumps(each) + "\n" for each in metrics))
    folder.events_path.write_text("".join(dumps(each) + "\n" for each in events))
    accuracies = {"train_accuracy": 1.0, "val_accuracy": 0.99, "test_accuracy": 0.98}
    folder.write_summary(
        {
            "status": "finished",
            "phase": "comprehension",
            "memorization_step": 100,
            "grokking_step": 600,
            "delay_steps": 500,
            "stable": True,
            "steps": 1000,
            "wall_seconds": 12.0,
            "task": "modular_arithmetic",
            "seed": config.seed,
            "final": accuracies,
            "best": accuracies,
        }
    )
    if weights is not None:
        arrays = {"weights/000": weights}
        folder.checkpoints().save(1000, arrays, arrays, {}, (0.99,))
    folder.unlock()
    read_run(path)
    return path


def circle(modulus: int, frequency: int, extra_rows: int = 1) -> np.ndarray:
    """An embedding whose numbers lie on one circle in eight channels."""
    angles = 2 * np.pi * frequency * np.arange(modulus) / modulus
    turn = np.random.default_rng(0).standard_normal((2, 8))
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ turn
    return np.concatenate([rows, np.ones((extra_rows, 8))]).astype("float32")
