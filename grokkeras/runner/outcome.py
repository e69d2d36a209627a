"""The end of a run: the test split's one evaluation, `model.keras` and the summary."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.files import disk_errors, fsync_dir
from grokkeras.runner.greetings import without_greetings
from grokkeras.runner.projecting import write_embeddings
from grokkeras.runner.session import Session


@dataclass(frozen=True)
class Summary:
    """What `summary.json` holds. What each word means is defined in docs/run_folder.md.

    Attributes:
        run_dir: the run folder.
        status: `running`, `finished`, `interrupted` or `failed`.
        phase: `grokking`, `comprehension`, `memorization` or `confusion`.
        memorization_step, grokking_step, delay_steps: optimizer steps, None if they never came.
        stable: no collapse after the grokking step.
        steps: optimizer steps done.
        wall_seconds: wall time, all included.
        steps_per_second: optimizer steps a second inside training calls.
        training_share: share of the time after the first call spent in optimizer steps.
        backend, seed, task, model, optimizer: what was run, by the registry's names.
        num_parameters: trainable numbers.
        final: accuracies and losses of the last weights.
        best: accuracies and losses of the weights in `model.keras`, and their `step`.
    """

    run_dir: Path
    status: str
    phase: str
    memorization_step: int | None
    grokking_step: int | None
    delay_steps: int | None
    stable: bool
    steps: int
    wall_seconds: float
    steps_per_second: float | None
    training_share: float | None
    backend: str
    seed: int
    task: str
    model: str
    optimizer: str
    num_parameters: int
    final: dict[str, Any]
    best: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The contents of `summary.json`."""
        values = dataclasses.asdict(self)
        del values["run_dir"]
        return values


def summarize(
    session: Session,
    status: str,
    final: dict[str, Any] | None = None,
    best: dict[str, Any] | None = None,
) -> Summary:
    """The summary of a session as it stands."""
    config, detector, clock = session.config, session.detector, session.clock
    return Summary(
        run_dir=session.folder.path,
        status=status,
        phase=detector.phase,
        memorization_step=detector.memorization_step,
        grokking_step=detector.grokking_step,
        delay_steps=detector.delay_steps,
        stable=detector.stable,
        steps=session.step,
        wall_seconds=clock.wall_seconds,
        steps_per_second=clock.steps_per_second,
        training_share=clock.training_share,
        backend=config.backend,
        seed=config.seed,
        task=config.task.name,
        model=config.model.name,
        optimizer=config.optimizer.name,
        num_parameters=session.program.num_parameters,
        final=final or {},
        best=best or {},
    )


def finish(session: Session) -> Summary:
    """Evaluates the last and the best weights on all splits, and writes `model.keras`.

    The only place that opens the test split.
    """
    program = session.program
    share = session.clock.training_share
    final = _metrics(session)
    last = [np.array(each) for each in program.weights()]  # which loading others overwrites
    if session.best.weights is not None:
        program.load_arrays(session.best.weights)
    best = {**_metrics(session), "step": session.best.step}
    program.to_model()
    save_model(program.model, session.folder.model_path)
    if session.config.log.tensorboard:
        write_embeddings(session, last, program.weights())
    summary = summarize(session, "finished", final, best)
    return dataclasses.replace(summary, training_share=share)


def save_model(model: Any, path: Path) -> None:
    """Writes a `.keras` file whole or not at all; of the model alone, not of its training."""
    temporary = path.with_name(f".tmp-{path.name}")
    with disk_errors(path.name, path), _not_compiled(model):
        try:
            with without_greetings():  # Keras imports TensorFlow to save, on every backend
                model.save(temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
            fsync_dir(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _not_compiled(model: Any) -> Iterator[None]:
    # Callbacks are given a compiled model. Loss and optimizer would have to be imported to load it.
    if not model.compiled:
        yield
        return
    optimizer = model.optimizer
    model.compiled, model.optimizer = False, None
    try:
        yield
    finally:
        model.compiled, model.optimizer = True, optimizer


def _metrics(session: Session) -> dict[str, float]:
    splits = {
        "train": session.task.train,
        "val": session.task.val,
        "test": session.task.test_split(),
    }
    found = {
        name: session.program.evaluate(name, split.x, split.y) for name, split in splits.items()
    }
    accuracies = {f"{name}_accuracy": means["accuracy"] for name, means in found.items()}
    for name in ("val", "test"):
        for part, split in session.task.by_part(splits[name]).items():
            means = session.program.evaluate(f"{name} {part}", split.x, split.y)
            accuracies[f"{name}_accuracy_{part}"] = means["accuracy"]
    return {**accuracies, **{f"{name}_loss": means["loss"] for name, means in found.items()}}
