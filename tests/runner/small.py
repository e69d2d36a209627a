"""A configuration whose steps cost next to nothing, and displays that meddle with a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from grokkeras.config import load_config
from grokkeras.errors import UserError
from grokkeras.logging import QuietDisplay

SMALL = {
    "task.modulus": 11,
    "model": {"name": "mlp", "width": 16, "encoding": "embedding", "embedding_width": 8},
    "train.max_steps": 60,
    "train.checkpoint_every": 20,
    "train.stop_after_grokking": None,
    "log.tensorboard": False,
}


def small_config(backend, **settings):
    """`settings` with `__` for the dot: train__max_steps=100."""
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return load_config("quickstart", SMALL | dotted | {"backend": backend})


class BrokenError(Exception):
    pass


class Meddles(QuietDisplay):
    """Calls a function once, at the first chunk that ends at `step` or later."""

    def __init__(self, step, function):
        self.step = step
        self.function = function

    def progress(self, step, steps_per_second):
        if self.step is not None and step >= self.step:
            self.step = None
            self.function()


def breaks_off(step):
    def fail():
        raise BrokenError

    return Meddles(step, fail)


def sends(step, *signals):
    """A display that sends signals to its own process."""

    def send():
        for number in signals:
            os.kill(os.getpid(), number)

    return Meddles(step, send)


class Listens(QuietDisplay):
    """Remembers what a person would have been told."""

    def __init__(self):
        self.first_step = None
        self.notices = []
        self.past = []

    def replay(self, records, events):
        self.past = [record["step"] for record in records]

    def start(self, config, task_line, facts, run_dir, first_step):
        self.first_step = first_step

    def notice(self, text):
        self.notices.append(text)


def steps_with_checkpoint(run):
    return sorted(int(path.name[5:]) for path in (Path(run) / "checkpoints").glob("step-*"))


def summary_of(run):
    return json.loads((run / "summary.json").read_text())


def refused(function, kind=UserError):
    """The message of the error that a call ends in."""
    try:
        function()
    except kind as error:
        assert type(error) is kind, repr(error)
        return str(error)
    raise AssertionError(f"no {kind.__name__}")
