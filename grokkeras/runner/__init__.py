"""Runs a configuration from beginning to end, or from where it stopped."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokkeras.config import (
    RunConfig,
    TaskShape,
    apply_resume_overrides,
    available_memory,
    check_data,
    check_memory,
    estimate_memory,
    memory_line,
)
from grokkeras.config.schedule_checks import schedule_notices
from grokkeras.detection import Detector
from grokkeras.logging import Display, QuietDisplay
from grokkeras.run_folder import RunFolder
from grokkeras.runner.build import (
    Start,
    build_model,
    build_program,
    build_run,
    start_model,
    use_backend,
)
from grokkeras.runner.greetings import without_greetings
from grokkeras.runner.hooks import check_callbacks
from grokkeras.runner.interrupts import Interrupted, Interrupts
from grokkeras.runner.over import is_over
from grokkeras.runner.sitting import Sitting
from grokkeras.runner.tracking import Tracking
from grokkeras.tasks import TaskData, difficulty, make_task
from grokkeras.transfer.source import find_source

if TYPE_CHECKING:
    from grokkeras.checkpoint import Checkpoint
    from grokkeras.runner.outcome import Summary

__all__ = ["Interrupted", "build_program", "resume", "run"]


def run(
    config: RunConfig,
    *,
    out: Path | None = None,
    display: Display | None = None,
    callbacks: Sequence[Any] = (),
) -> Summary:
    """Trains what `config` describes, in a new run folder.

    Args:
        config: a checked configuration.
        out: the run folder itself; None takes `runs/NAME-N`.
        display: what a person sees; None: nothing.
        callbacks: stock Keras callbacks, called at evaluations as at an epoch's end.

    Returns:
        The summary that was written.

    Raises:
        UserError: something does not fit; nothing was written.
        Interrupted: a signal came; the message says how to go on.
        GrokkerasError: the run failed; the folder holds what there is.
    """
    display = display or QuietDisplay()
    with Interrupts() as interrupts:
        if config.transfer is not None:
            find_source(config.transfer.run)
        task, facts = _prepare(config)
        use_backend(config)
        check_callbacks(callbacks, config)
        # Only with Keras can it be told whether another run's weights fit, and a run that is
        # refused leaves no folder; so this once Keras comes before the folder.
        start = _transferred(config, task) if config.transfer else None
        folder = RunFolder.create(out, config)
        with Sitting(folder, display, interrupts) as sitting:
            folder.write_environment()
            display.start(config, task.describe(), facts, folder.path, 0)
            return _train(sitting, task, None, callbacks, start)


def resume(
    run_dir: Path,
    overrides: Mapping[str, object] | None = None,
    *,
    display: Display | None = None,
    callbacks: Sequence[Any] = (),
) -> Summary | None:
    """Goes on with a run from its newest sound checkpoint, or from the start without one.

    Args:
        run_dir: the run folder.
        overrides: new values for what may change: `train.max_steps`, `train.stop_after_grokking`,
            `log.*`.
        display: what a person sees; None: nothing.
        callbacks: as in `run`.

    Returns:
        The summary, or None where the run had finished and nothing was left to do.

    Raises:
        UserError: no such run, another process trains there, an override that may not change, or
            data that has changed.
        Interrupted, GrokkerasError: as in `run`.
    """
    display = display or QuietDisplay()
    with Interrupts() as interrupts, _locked(RunFolder.open(run_dir)) as folder:
        from grokkeras.runner.restore import (
            check_data_is_the_same,
            check_goes_on,
            cut_back,
            find_checkpoint,
            show_past,
        )

        config = apply_resume_overrides(folder.config, overrides or {})
        before = folder.read_summary()
        checkpoint, notices = find_checkpoint(folder)
        if before["status"] == "finished" and _nothing_left(folder, config, checkpoint):
            display.notice(_finished(folder, config, before))
            return None
        task, facts = _prepare(config, folder)
        if checkpoint is not None:
            check_goes_on(config, checkpoint)
            check_data_is_the_same(task, checkpoint)
        use_backend(config)
        check_callbacks(callbacks, config)
        with Sitting(folder, display, interrupts) as sitting:
            folder.write_config(config)
            folder.write_summary({**before, "status": "running"})
            notices += cut_back(folder, checkpoint, callbacks)
            if before["status"] == "failed" and before.get("error"):
                notices.insert(0, f"The run had failed. {before['error']}")
            show_past(folder, display)
            first_step = checkpoint.step if checkpoint else 0
            display.start(config, task.describe(), facts, folder.path, first_step)
            for notice in notices:
                display.notice(notice)
            return _train(sitting, task, checkpoint, callbacks)


def _prepare(config: RunConfig, folder: RunFolder | None = None) -> tuple[TaskData, list[str]]:
    """The data and what to say of it; refuses what does not fit before a folder is made."""
    task = make_task(config.task, config.seed)
    shape = TaskShape.of_data(task)
    check_data(config, shape)
    if config.task.teacher is not None:
        from grokkeras.runner.teacher import check_teacher

        check_teacher(config, task, folder)
    if config.curriculum is not None:
        difficulty(task, config.curriculum.by)  # refuses what only the data can tell
    available = available_memory()
    check_memory(config, available, shape)
    facts = [memory_line(estimate_memory(config, shape), available), *schedule_notices(config)]
    return task, facts


def _transferred(config: RunConfig, task: TaskData) -> Start:
    with without_greetings():
        return start_model(config, task)


def _nothing_left(folder: RunFolder, config: RunConfig, checkpoint: Checkpoint | None) -> bool:
    """Whether a finished run has no step to make under `config` either."""
    if config == folder.config:
        return True
    if checkpoint is None:
        return False
    detector = Detector(**dict(config.detector))
    detector.load_state_dict(checkpoint.state["detector"])
    return is_over(config, checkpoint.step, detector)


def _finished(folder: RunFolder, config: RunConfig, summary: Mapping[str, Any]) -> str:
    steps, run_dir = summary["steps"], shlex.quote(str(folder.path))
    key, value = "train.stop_after_grokking", "null"
    if steps >= config.train.max_steps:
        key, value = "train.max_steps", str(2 * steps)
    return (
        f"{folder.path} has finished, at step {steps:,}; nothing is left to do. "
        f"To train on: grokkeras resume {run_dir} --set {key}={value}"
    )


def _train(
    sitting: Sitting,
    task: TaskData,
    checkpoint: Checkpoint | None,
    callbacks: Sequence[Any],
    start: Start | None = None,
) -> Summary:
    with Tracking(sitting.folder, sitting.display) as tracking:
        return _train_tracked(sitting, task, checkpoint, callbacks, start, tracking)


def _train_tracked(
    sitting: Sitting,
    task: TaskData,
    checkpoint: Checkpoint | None,
    callbacks: Sequence[Any],
    start: Start | None,
    tracking: Tracking,
) -> Summary:
    folder, display = sitting.folder, sitting.display
    with without_greetings():
        from grokkeras.runner.session import Session

        if checkpoint is not None:
            # Its weights take the place of the initial ones, wherever those came from.
            start = Start(build_model(folder.config, task))
        start = start or start_model(folder.config, task)
        opening = list(start.events)
        data = task.fingerprint()  # without what a teacher adds
        if folder.config.task.teacher is not None:
            from grokkeras.runner.teacher import taught_task

            task, event = taught_task(task, folder.config, folder)
            opening += [] if checkpoint else [event]
        program, varying = build_run(folder.config, task, start.model)
        session = Session(
            folder.config,
            task,
            program,
            varying,
            folder,
            display,
            callbacks,
            opening=opening,
            tracking=tracking,
            data=data,
        )
        if checkpoint is not None:
            session.load(checkpoint)
    from grokkeras.runner.outcome import finish

    sitting.session = session
    session.train(sitting.interrupts)
    summary = finish(session)
    folder.write_summary(summary.to_dict())
    tracking.results(summary.to_dict())
    if folder.config.log.tensorboard:
        from grokkeras.logging.tensorboard import write_results

        write_results(folder.tensorboard_dir, summary.to_dict())
    display.finish(summary.to_dict(), folder.path)
    return summary


@contextlib.contextmanager
def _locked(folder: RunFolder) -> Iterator[RunFolder]:
    folder.lock()
    try:
        yield folder
    finally:
        folder.unlock()
