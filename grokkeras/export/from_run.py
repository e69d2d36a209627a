"""Exports the model of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.errors import UserError
from grokkeras.export.card import card_of_task
from grokkeras.export.job import Job
from grokkeras.export.pipeline import Exported, export_model, require_packages, sample_inputs
from grokkeras.run_folder import RunFolder
from grokkeras.tasks import TaskData, make_task


def export_run(
    run_dir: str | Path,
    out: str | Path = "saved_models",
    name: str | None = None,
    version: int | None = None,
    allow_ungrokked: bool = False,
) -> Exported:
    """Exports the model of a run at its best validation accuracy.

    Args:
        run_dir: a run folder, of any backend that is installed here.
        out: the folder of all models.
        name: of this one; None takes the run's.
        version: its number; None takes the next.
        allow_ungrokked: export it even if validation never reached the threshold for good.

    Returns:
        The published version.

    Raises:
        UserError: there is no such run, it has not grokked, or it cannot be written there.
        GrokkerasError: a process failed, or the exported model answers otherwise.
    """
    require_packages()
    folder = RunFolder.open(run_dir)
    summary = folder.read_summary()
    if summary["grokking_step"] is None and not allow_ungrokked:
        raise UserError(_not_grokked(folder, summary))
    config = folder.config
    task = make_task(config.task, config.seed)
    operation = (
        (config.task.operation, config.task.modulus)
        if config.task.name == "modular_arithmetic"
        else None
    )

    def make_job(scratch: Path) -> Job:
        return Job(
            scratch=scratch,
            name=name or config.name,
            backend=config.backend,
            card=card_of_task(task, config.task).to_dict(),
            run=folder.path.resolve(),
            modulus_operation=operation,
        )

    return export_model(
        make_job,
        out,
        name or config.name,
        version,
        sample_inputs(_all_inputs(task)),
        _provenance(folder, summary, task),
    )


def _not_grokked(folder: RunFolder, summary: dict[str, Any]) -> str:
    state = summary["phase"] or summary["status"]
    advice = (
        f"Go on with it: grokkeras resume {folder.path}"
        if summary["status"] != "finished"
        else f"Train longer: grokkeras resume {folder.path} --set train.max_steps=N"
    )
    return (
        f"{folder.path} has not grokked (it stands at {state!r} after {summary['steps']} steps), "
        f"so it is not exported. {advice}. Or export it as it is with --allow-ungrokked."
    )


def _all_inputs(task: TaskData) -> np.ndarray:
    """Every input of the splits, once. Labels, which the test keeps secret, are not looked at."""
    return np.unique(np.concatenate([task.train.x, task.val.x, task.test_split().x]), axis=0)


def _provenance(folder: RunFolder, summary: dict[str, Any], task: TaskData) -> dict[str, Any]:
    found = summary["best"]
    best: dict[str, Any] = found if isinstance(found, dict) else {}
    accuracies = {
        f"{part}_accuracy": best.get(f"{part}_accuracy") for part in ("train", "val", "test")
    }
    steps = {
        key: summary[key] for key in ("steps", "memorization_step", "grokking_step", "delay_steps")
    }
    return {
        "run": folder.path.resolve().name,
        "task": task.describe(),
        "status": summary["status"],
        "phase": summary["phase"],
        "has_grokked": summary["grokking_step"] is not None,
        **steps,
        "best_step": best.get("step"),
        **accuracies,
        "backend": summary["backend"],
        "seed": summary["seed"],
        "num_parameters": summary["num_parameters"],
        "config": folder.config.model_dump(mode="json"),
    }
