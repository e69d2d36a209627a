"""Event files of a small run, and what stands in them."""

from __future__ import annotations

from grokkeras.logging.event_files import read_events
from grokkeras.logging.tensorboard import TensorBoardWriter

RECORD = {
    "step": 10,
    "seconds": 0.5,
    "train_loss": 0.25,
    "train_accuracy": 0.75,
    "val_loss": 2.5,
    "val_accuracy": 0.5,
    "learning_rate": 1e-3,
    "weight_decay": 1.0,
    "dropout_rate": 0.0,
    "weight_norm": 33.0,
}


def write(log_dir, steps, first_step=0, now=1000.0):
    writer = TensorBoardWriter(log_dir, first_step, clock=lambda: now)
    for step in steps:
        writer.evaluation({**RECORD, "step": step})
    writer.close()


def files(log_dir, run):
    return sorted((log_dir / run).iterdir())


def protos(log_dir, run):
    return [event for path in files(log_dir, run) for event in read_events(path)]


def points(log_dir, run):
    """(step, {tag: value}) of every scalar record, in order."""
    return [
        (event.step, {value.tag: value.simple_value for value in event.summary.value})
        for event in protos(log_dir, run)
        if event.HasField("summary") and event.summary.value[0].HasField("simple_value")
    ]
