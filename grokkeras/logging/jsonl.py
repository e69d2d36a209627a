"""`metrics.jsonl` and `events.jsonl`: one JSON object a line, appended as it happens.

Each line reaches the operating system at once, so `tail -f` follows it and a killed process
loses at most the line it was writing. The functions below cut a file back when a run resumes.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokkeras.files import disk_errors, write_all, write_atomic
from grokkeras.strict_json import dumps

if TYPE_CHECKING:
    from grokkeras.detection.events import Event


class JsonlWriter:
    """Appends JSON objects to a file, one a line; NaN and infinities are written as null.

    Args:
        path: the file; made if absent. A torn last line, which a killed process leaves, is cut.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with disk_errors(self.path.name, self.path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            _cut_torn_line(self.path)

    def append(self, record: Mapping[str, object]) -> None:
        """Writes one line.

        Raises:
            DiskFullError: no space.
        """
        line = dumps(dict(record)).encode() + b"\n"
        with disk_errors(self.path.name, self.path):
            write_all(self._descriptor, line)

    def offset(self) -> int:
        """Bytes in the file, all lines so far included."""
        return os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """Makes the lines so far durable; call it before a checkpoint that stores `offset`."""
        with disk_errors(self.path.name, self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class JsonlLog:
    """The writer (see `grokkeras.logging`) behind `metrics.jsonl` and `events.jsonl` of a run."""

    def __init__(self, metrics: str | os.PathLike[str], events: str | os.PathLike[str]) -> None:
        self._metrics = JsonlWriter(metrics)
        self._events = JsonlWriter(events)

    def evaluation(self, record: Mapping[str, object]) -> None:
        """Writes one evaluation to `metrics.jsonl`."""
        self._metrics.append(record)

    def event(self, event: Event) -> None:
        """Writes one event to `events.jsonl`."""
        self._events.append(event.to_dict())

    def offsets(self) -> dict[str, int]:
        """File name to bytes written, for a checkpoint; see `RunFolder.cut_to_checkpoint`."""
        return {writer.path.name: writer.offset() for writer in (self._metrics, self._events)}

    def flush(self) -> None:
        """Nothing to do: every line has reached the operating system already."""

    def sync(self) -> None:
        """Makes both files durable."""
        self._metrics.sync()
        self._events.sync()

    def close(self) -> None:
        """Closes both files."""
        self._metrics.close()
        self._events.close()


@dataclasses.dataclass(frozen=True)
class JsonlContent:
    """A file's objects, and the number of lines that were none (torn or altered)."""

    records: list[dict[str, Any]]
    unreadable: int


def read_jsonl(path: str | os.PathLike[str]) -> JsonlContent:
    """Reads what can be read: no file is an empty one, and a line that is no object is skipped."""
    path = Path(path)
    if not path.is_file():
        return JsonlContent([], 0)
    parsed = [_parse(line) for line in _lines(path.read_bytes())]
    records = [record for record in parsed if record is not None]
    return JsonlContent(records, len(parsed) - len(records))


def cut_to_offset(path: str | os.PathLike[str], offset: int) -> None:
    """Cuts a file to its first `offset` bytes. A missing file is an empty one.

    Raises:
        ValueError: the file is shorter, or `offset` is not at the end of a line.
    """
    path = Path(path)
    size = path.stat().st_size if path.exists() else 0
    if offset > size:
        raise ValueError(f"{path.name} has {size} bytes, expected at least {offset}")
    if size == 0:
        return
    with open(path, "r+b") as file:
        if offset:
            file.seek(offset - 1)
            if file.read(1) != b"\n":
                raise ValueError(f"{path.name} has no line that ends at byte {offset}")
        file.truncate(offset)
        os.fsync(file.fileno())


def cut_to_step(path: str | os.PathLike[str], step: int) -> int:
    """Drops every line written after `step`, and every line that is no whole JSON object.

    An event counts as written at its `detail.confirmed_step` where it has one: its `step` is an
    earlier one.

    Returns:
        The number of lines dropped, a torn last line included.
    """
    path = Path(path)
    if not path.is_file():
        return 0
    lines = list(_lines(path.read_bytes()))
    kept = [line for line in lines if _written_by(_parse(line), step)]
    if len(kept) < len(lines):
        write_atomic(path, b"".join(kept))
    return len(lines) - len(kept)


def written_at(record: Mapping[str, object]) -> object:
    """The step at which a record was written: an event's confirmation, else its `step`."""
    detail = record.get("detail")
    confirmed = detail.get("confirmed_step") if isinstance(detail, Mapping) else None
    return record.get("step") if confirmed is None else confirmed


def _written_by(record: dict[str, Any] | None, step: int) -> bool:
    written = None if record is None else written_at(record)
    return isinstance(written, (int, float)) and written <= step


def _lines(data: bytes) -> Iterator[bytes]:
    return iter(io.BytesIO(data))  # splits at b"\n" alone; bytes.splitlines also at b"\r"


def _parse(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None  # torn, even where it happens to parse: `{"step": 1` of 100 would not
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _cut_torn_line(path: Path) -> None:
    """Cuts what follows the last line break, reading backwards so that long files cost nothing."""
    with open(path, "r+b") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 4096)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            file.truncate(end)
