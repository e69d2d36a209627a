"""Runs a configuration from beginning to end, or from where it stopped."""

from __future__ import annotations

import contextlib
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
from grokkeras.logging import Display, QuietDisplay
from grokkeras.run_folder import RunFolder
from grokkeras.runner.build import build_program, use_backend
from grokkeras.runner.interrupts import Interrupted
from grokkeras.tasks import TaskData, make_task

if TYPE_CHECKING:
    from grokkeras.runner.outcome import Summary
    from grokkeras.runner.session import Session

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
        UserError: something does not fit; the run has not begun.
        GrokkerasError: the run failed or was interrupted; the folder holds what there is.
    """
    display = display or QuietDisplay()
    task, facts = _prepare(config)
    use_backend(config)
    folder = RunFolder.create(out, config)
    with _closing(folder, display):
        folder.write_environment()
        display.start(config, task.describe(), facts, folder.path, 0)
        session = _make_session(config, task, folder, display, callbacks)
        return _train(session)


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
        UserError: no such run, or an override that may not change.
        GrokkerasError: as in `run`.
    """
    display = display or QuietDisplay()
    folder = RunFolder.open(run_dir)
    folder.lock()
    with _closing(folder, display):
        config = apply_resume_overrides(folder.config, overrides or {})
        if folder.read_summary()["status"] == "finished" and config == folder.config:
            display.notice(f"{folder.path} has finished; nothing is left to do.")
            return None
        task, facts = _prepare(config)
        use_backend(config)
        from grokkeras.runner.restore import restore, show_past

        checkpoint, notices = restore(folder)
        if checkpoint is not None:
            show_past(folder, display)
        step = checkpoint.step if checkpoint else 0
        display.start(config, task.describe(), facts, folder.path, step)
        for notice in notices:
            display.notice(notice)
        session = _make_session(config, task, folder, display, callbacks)
        if checkpoint is not None:
            session.program.load_arrays(checkpoint.arrays)
            session.load_state_dict(checkpoint.state, checkpoint.step, checkpoint.best)
        folder.write_config(config)
        folder.write_summary({**folder.read_summary(), "status": "running"})
        return _train(session)


def _prepare(config: RunConfig) -> tuple[TaskData, list[str]]:
    """The data and what to say of it; refuses what does not fit before a folder is made."""
    task = make_task(config.task, config.seed)
    shape = TaskShape.of_data(task)
    check_data(config, shape)
    available = available_memory()
    check_memory(config, available, shape)
    return task, [memory_line(estimate_memory(config, shape), available)]


def _make_session(
    config: RunConfig,
    task: TaskData,
    folder: RunFolder,
    display: Display,
    callbacks: Sequence[Any],
) -> Session:
    from grokkeras.runner.session import Session

    return Session(config, task, build_program(config, task), folder, display, callbacks)


def _train(session: Session) -> Summary:
    from grokkeras.runner.outcome import finish, summarize

    folder = session.folder
    try:
        session.train()
        summary = finish(session)
    except BaseException as error:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        values = summarize(session, "interrupted" if stopped else "failed").to_dict()
        # The disk may be full: what went wrong first is what the user has to hear.
        with contextlib.suppress(Exception):
            folder.write_summary({**values, "error": str(error) or type(error).__name__})
        raise
    folder.write_summary(summary.to_dict())
    session.display.finish(summary.to_dict(), folder.path)
    return summary


@contextlib.contextmanager
def _closing(folder: RunFolder, display: Display) -> Iterator[None]:
    try:
        yield
    finally:
        display.stop()
        folder.unlock()
