"""Training labels from an earlier run's model, for inputs of the pool.

The labels are kept in the run folder, so that a resumed run has the same ones, whatever became of
the teacher since.
"""

from __future__ import annotations

import os

import numpy as np

from grokkeras.config import RunConfig, TaskShape, task_shape
from grokkeras.detection import Event
from grokkeras.errors import UserError
from grokkeras.files import disk_errors, fsync_dir
from grokkeras.run_folder import RunFolder
from grokkeras.tasks import TaskData, taught
from grokkeras.tasks.diversity import teacher_errors
from grokkeras.transfer.source import find_source, load_source

FILE_NAME = "teacher_labels.npy"
_ROWS = 16384


def check_teacher(config: RunConfig, task: TaskData, folder: RunFolder | None = None) -> None:
    """Refuses a teacher that cannot label this task's inputs; imports no Keras.

    Args:
        config: the run's configuration.
        task: its task.
        folder: of a run that goes on; with its labels there it needs the teacher no more.

    Raises:
        UserError: there is no such finished run, or its inputs or classes are others.
    """
    if config.task.teacher is None or (folder and (folder.path / FILE_NAME).is_file()):
        return
    run = config.task.teacher.run
    try:
        model = find_source(run)
    except UserError as error:
        raise UserError(f"task.teacher.run: {error}") from error
    if not (model.parent / "config.yaml").is_file():
        return
    theirs = task_shape(RunFolder.open(model.parent, require_backend=False).config.task)
    ours = TaskShape.of_data(task)
    if theirs is None:
        return
    for key in ("length", "vocab_size", "num_classes"):
        if getattr(theirs, key) != getattr(ours, key):
            raise UserError(
                f"task.teacher.run: the model of {run} was trained on a task with {key} "
                f"{getattr(theirs, key)}, this task has {getattr(ours, key)}; a teacher must have "
                f"the same inputs and classes."
            )


def taught_task(task: TaskData, config: RunConfig, folder: RunFolder) -> tuple[TaskData, Event]:
    """The task with the teacher's labels, from the run folder or from the teacher itself.

    Args:
        task: with inputs that wait for labels.
        config: with `task.teacher`.
        folder: the run folder; the labels are written there when they are new.

    Returns:
        The task, and an event that tells how often the teacher was wrong.

    Raises:
        UserError: the teacher's model cannot be loaded or has other classes.
    """
    assert config.task.teacher is not None
    path = folder.path / FILE_NAME
    run = config.task.teacher.run
    if path.is_file():
        labels = np.load(path, allow_pickle=False)
    else:
        labels = _labels(run, task)
        _write(folder, labels)
    detail = {"run": run, "examples": len(labels), "wrong": teacher_errors(task, labels)}
    new = taught(task, labels)
    return new, Event(0, "teacher", {**detail, "message": new.notes[-1]})


def _labels(run: str, task: TaskData) -> np.ndarray:
    import keras

    model = load_source(run)
    logits = [
        keras.ops.convert_to_numpy(model(task.unlabelled[at : at + _ROWS], training=False))
        for at in range(0, len(task.unlabelled), _ROWS)
    ]
    found = np.concatenate(logits).astype("float64")
    if found.shape[1:] != (task.num_classes,):
        raise UserError(
            f"task.teacher.run: the model of {run} gives {found.shape[1:]} numbers an example, "
            f"this task has {task.num_classes:,} classes."
        )
    return found.argmax(axis=1).astype("int32")


def _write(folder: RunFolder, labels: np.ndarray) -> None:
    path = folder.path / FILE_NAME
    temporary = folder.path / f".tmp-{FILE_NAME}"
    with disk_errors(FILE_NAME, path):
        try:
            with open(temporary, "wb") as file:
                np.save(file, labels)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            fsync_dir(folder.path)
        finally:
            temporary.unlink(missing_ok=True)
