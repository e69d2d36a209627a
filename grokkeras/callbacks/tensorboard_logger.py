"""`TensorBoardLogger`: the curves of stock `fit` for TensorBoard and its Grokking tab.

    model.fit(x, y, validation_data=(xv, yv), epochs=30000,
              callbacks=[GrokkingDetector(), TensorBoardLogger("runs/mine")])

It writes at log-spaced steps: TensorBoard keeps 1,000 points a curve, and of a long run with evenly
spaced ones nothing would be left of its beginning. It needs no TensorFlow.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.callbacks.detector import GrokkingDetector
from grokkeras.detection import Event
from grokkeras.errors import UserError
from grokkeras.keras_compat.optimizer_step import steps_done
from grokkeras.keras_compat.siblings import callbacks_beside
from grokkeras.logging.tensorboard import TensorBoardWriter
from grokkeras.training.plan import next_evaluation

_ACCURACIES = (
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)


class TensorBoardLogger(keras.callbacks.Callback):
    """Writes the logs of an epoch's end to event files, at log-spaced steps.

    What other callbacks add to the logs, such as `WeightDecayScheduler` and `Measures`, is written
    too if they stand before this one in the list. The events of a `GrokkingDetector` in the same
    list become text.

    Args:
        log_dir: the run's folder; it gets `tensorboard/train` and `tensorboard/validation`.
        per_decade: points a tenfold growth of the step. Default 100.

    Raises:
        UserError: `per_decade` is no whole number of 1 or more.
    """

    def __init__(self, log_dir: str | os.PathLike[str], per_decade: int = 100) -> None:
        super().__init__()
        if isinstance(per_decade, bool) or not isinstance(per_decade, int) or per_decade < 1:
            raise UserError(
                f"TensorBoardLogger: per_decade is a whole number, 1 or more; "
                f"received {per_decade!r}."
            )
        self.log_dir = Path(log_dir)
        self.per_decade = per_decade
        self._writer: TensorBoardWriter | None = None
        self._due = self._due_validated = 0
        self._skipped: set[str] = set()
        self._last: tuple[int, dict[str, Any]] | None = None
        self._told: list[Event] = []

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Opens the files; a `fit` that goes on where another ended adds to them."""
        step = self._step()
        self._writer = TensorBoardWriter(self.log_dir / "tensorboard", step)
        self._due = self._due_validated = next_evaluation(step, self.per_decade)
        self._last = None
        self._told = self._detected()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the epoch's logs where a point is due, and the events that it confirmed."""
        assert self._writer is not None
        step = self._step()
        self._last = (step, self._record(step, logs or {}))
        # Points of their own: with `validation_freq` the epochs that are due may have none.
        validated = any(key.startswith("val_") for key in logs or {})
        due = self._due_validated if validated else self._due
        if step >= due:
            self._write()
            self._due = next_evaluation(step, self.per_decade)
            if validated:
                self._due_validated = self._due
        self._tell()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the last epoch, and closes the files."""
        if self._writer is not None:
            self._write()
            self._tell()  # what the end of training confirms
            self._writer.close()

    def _tell(self) -> None:
        events = self._detected()
        for event in events:
            if event not in self._told and self._writer is not None:
                self._writer.event(event)
        self._told = events

    def _write(self) -> None:
        if self._last is not None and self._writer is not None:
            self._writer.evaluation(self._last[1])
            self._last = None

    def _step(self) -> int:
        return steps_done(self.model.optimizer)

    def _record(self, step: int, logs: Mapping[str, Any]) -> dict[str, Any]:
        """The logs under the names of our own runs: `train_loss`, `val_loss`, ..., measures."""
        record: dict[str, Any] = {"step": step}
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None:
            record["learning_rate"] = float(ops.convert_to_numpy(rate))
        plain = {key.removeprefix("val_") for key in logs}
        for key, value in logs.items():
            if math.prod(np.shape(value)) != 1:
                self._skip(key, np.shape(value))
                continue
            split, name = ("val", key[4:]) if key.startswith("val_") else ("train", key)
            if name in _ACCURACIES and "accuracy" not in plain:
                name = "accuracy"
            both = name in ("loss", "accuracy")
            taken = f"{split}_{name}" if both else key
            record[taken] = float(value)
        return record

    def _skip(self, key: str, shape: tuple[int, ...]) -> None:
        if key not in self._skipped:
            self._skipped.add(key)
            warnings.warn(
                f"TensorBoardLogger leaves {key!r} out: it is an array of shape {shape}, and a "
                "curve is of numbers.",
                stacklevel=2,
            )

    def _detected(self) -> list[Event]:
        found = [each for each in callbacks_beside(self) if isinstance(each, GrokkingDetector)]
        return found[0].events if found else []
