"""TensorBoard event files without TensorFlow.

Every stock writer loads TensorFlow where it is installed (about 700 MB). Its file format is
small: records of (length, checksum, bytes, checksum), each the protocol buffer `Event`. The
protocol buffers and the record writer that TensorBoard ships need no TensorFlow.

    tensorboard/train/       accuracy, loss, learning_rate, weight_decay, dropout_rate,
                             measures/NAME, and the text `events`
    tensorboard/validation/  accuracy, loss
    tensorboard/             what the other tabs show: see `tensorboard_tabs`

The same tag in both runs draws both curves in one chart.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.compat.proto.event_pb2 import Event as EventProto
from tensorboard.compat.proto.event_pb2 import SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.text.metadata import create_summary_metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from grokkeras.files import disk_errors, write_atomic
from grokkeras.logging import tensorboard_tabs
from grokkeras.logging.event_files import event_files, records

if TYPE_CHECKING:
    import numpy as np

    from grokkeras.detection.events import Event
    from grokkeras.logging.pictures import Picture

TRAIN = "train"
VALIDATION = "validation"
EVENTS_TAG = "events"

_BOTH = ("loss", "accuracy")
_SCHEDULED = ("learning_rate", "weight_decay", "adam_weight_decay", "dropout_rate")
_NOT_PLOTTED = ("step", "seconds")


class TensorBoardWriter:
    """The writer (see `grokkeras.logging`) behind a run's `tensorboard/`.

    Every call is on its way to the disk when it returns, so a reader follows it and a killed
    process loses at most one point.

    Args:
        log_dir: holds `train/` and `validation/`; made if absent.
        first_step: the checkpoint's step when a run resumes: a TensorBoard that is open drops
            what it had read of later steps.
        clock: seconds since 1970, for the wall time of each point.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        first_step: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._files = {
            run: _EventFile(Path(log_dir) / run, first_step, clock()) for run in (TRAIN, VALIDATION)
        }

    def evaluation(self, record: Mapping[str, object]) -> None:
        """Writes one evaluation, a line of `metrics.jsonl`; what is absent or None is left out."""
        step = int(record["step"])  # type: ignore[call-overload]
        train = {tag: record.get(f"train_{tag}") for tag in _BOTH}
        validation = {tag: record.get(f"val_{tag}") for tag in _BOTH}
        known = {*_NOT_PLOTTED, *(f"{split}_{tag}" for split in ("train", "val") for tag in _BOTH)}
        for key, value in record.items():
            if key not in known:
                train[key if key in _SCHEDULED else f"measures/{key}"] = value
        now = self._clock()
        self._files[TRAIN].scalars(step, train, now)
        self._files[VALIDATION].scalars(step, validation, now)

    def event(self, event: Event) -> None:
        """Writes one event as text, at the step at which it became known.

        Not checkpoints: in a long run they are thousands, and TensorBoard shows few texts a tag.
        """
        if event.event == "checkpoint":
            return
        self._files[TRAIN].text(event.written_at, EVENTS_TAG, event.describe(), self._clock())

    def histograms(self, step: int, named: Mapping[str, np.ndarray]) -> None:
        """Writes histograms of weights, one a name."""
        self._files[TRAIN].summary(step, tensorboard_tabs.histograms(named), self._clock())

    def images(self, step: int, named: Mapping[str, Picture]) -> None:
        """Writes pictures, one a tag."""
        self._files[TRAIN].summary(step, tensorboard_tabs.images(named), self._clock())

    def flush(self) -> None:
        """Nothing to do: every point has reached the operating system already."""

    def sync(self) -> None:
        """Makes both files durable."""
        for file in self._files.values():
            file.sync()

    def close(self) -> None:
        """Closes both files; a second call does nothing."""
        for file in self._files.values():
            file.close()


def write_settings(
    log_dir: str | os.PathLike[str],
    config: Mapping[str, Any],
    clock: Callable[[], float] = time.time,
) -> None:
    """Writes what is known as a run begins: the configuration as text and HParams, the layout.

    Args:
        log_dir: the run's `tensorboard/`. If it has them already nothing is done.
        config: the resolved configuration, nested.
        clock: seconds since 1970.
    """
    if tensorboard_tabs.has_tabs(log_dir):
        return
    settings = tensorboard_tabs.flat_settings(config)
    with contextlib.closing(_EventFile(Path(log_dir), 0, clock())) as file:
        file.text(0, "configuration", tensorboard_tabs.configuration_text(settings), clock())
        name = os.path.basename(os.path.dirname(os.path.abspath(log_dir)))
        layout = tensorboard_tabs.layout((config.get("log") or {}).get("measures") or ())
        for summary in (layout, *tensorboard_tabs.hparams(settings, name)):
            file.summary(0, summary, clock())


def write_results(
    log_dir: str | os.PathLike[str],
    summary: Mapping[str, Any],
    clock: Callable[[], float] = time.time,
) -> None:
    """Writes what HParams shows of a run that has ended.

    Args:
        log_dir: the run's `tensorboard/`.
        summary: as in `summary.json`.
        clock: seconds since 1970.
    """
    with contextlib.closing(_EventFile(Path(log_dir), 0, clock())) as file:
        file.scalars(int(summary["steps"]), tensorboard_tabs.results(summary), clock())


class _EventFile:
    """One event file of one run; what lies beside it is older and sorts before it."""

    def __init__(self, directory: Path, first_step: int, now: float) -> None:
        self._path = directory / _file_name(directory, now)
        with disk_errors("TensorBoard's event file", self._path):
            directory.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "xb")  # noqa: SIM115 (open as long as the run)
            self._writer = RecordWriter(self._file)
        self._write(EventProto(wall_time=now, file_version="brain.Event:2"))
        if first_step:
            start = SessionLog(status=SessionLog.START)
            self._write(EventProto(wall_time=now, step=first_step + 1, session_log=start))

    def scalars(self, step: int, values: Mapping[str, object], now: float) -> None:
        summary = Summary()
        for tag, value in values.items():
            if value is not None:
                summary.value.add(tag=tag, simple_value=value)
        if not summary.value:
            return
        self._write(EventProto(wall_time=now, step=step, summary=summary))

    def summary(self, step: int, summary: Summary, now: float) -> None:
        if summary.value:
            self._write(EventProto(wall_time=now, step=step, summary=summary))

    def text(self, step: int, tag: str, text: str, now: float) -> None:
        tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()])
        tensor.tensor_shape.SetInParent()  # a scalar, told from a tensor of unknown shape
        summary = Summary()
        metadata = create_summary_metadata(display_name=None, description=None)
        summary.value.add(tag=tag, metadata=metadata, tensor=tensor)
        self._write(EventProto(wall_time=now, step=step, summary=summary))

    def sync(self) -> None:
        with disk_errors("TensorBoard's event file", self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        with disk_errors("TensorBoard's event file", self._path):
            self._file.close()

    def _write(self, event: EventProto) -> None:
        with disk_errors("TensorBoard's event file", self._path):
            self._writer.write(event.SerializeToString())
            self._writer.flush()


def _file_name(directory: Path, now: float) -> str:
    """A name that sorts after all that are there: TensorBoard reads a run's files in that order.

    The clock alone does not promise it: two resumes may fall into one second, or it was set back.
    """
    seconds = int(now)
    for path in event_files(directory):
        stamp = path.name.partition("tfevents.")[2].partition(".")[0]
        if stamp.isdecimal():
            seconds = max(seconds, int(stamp) + 1)
    return f"events.out.tfevents.{seconds:010d}.{socket.gethostname()}.{os.getpid()}.0"


def cut_event_files(log_dir: str | os.PathLike[str], step: int) -> int:
    """Drops every record of a later step from all event files beneath `log_dir`.

    A file is replaced as a whole, and removed when no point is left in it. A torn or altered
    record ends its file: what follows it cannot be found.

    Returns:
        The number of files that changed.
    """
    changed = 0
    for path in event_files(log_dir, below=True):
        data = path.read_bytes()
        kept, points = [], 0
        for raw, payload in records(data):
            event = EventProto.FromString(payload)
            if event.HasField("file_version") or event.step <= step:
                kept.append(raw)
                points += event.HasField("summary")
        if points == 0:
            path.unlink()
        elif sum(map(len, kept)) < len(data):
            write_atomic(path, b"".join(kept), "TensorBoard's event file")
        else:
            continue
        changed += 1
    return changed
