"""Reads TensorBoard event files without TensorFlow.

    for path in event_files("runs/quickstart-1/tensorboard", below=True):
        for event in read_events(path):
            print(event.step, [value.tag for value in event.summary.value])

A file is a row of records: length, its checksum, bytes, their checksum; each is the protocol buffer
`Event` (tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c


def event_files(directory: str | os.PathLike[str], below: bool = False) -> list[Path]:
    """The event files in a folder, in the order in which TensorBoard reads them.

    Args:
        directory: such as a run's `tensorboard/train`.
        below: also those in the folders beneath it.
    """
    return sorted(Path(directory).glob(f"{'**/' if below else ''}*tfevents*"))


def read_events(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Every event of a file, up to the first torn or altered record.

    Raises:
        OSError: the file cannot be read.
    """
    for _, payload in records(Path(path).read_bytes()):
        yield Event.FromString(payload)


def records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each whole record of an event file's bytes, with its frame and without.

    A torn or altered record is the last: what follows it cannot be found.
    """
    start = 0
    while start + 12 <= len(data):
        length, checksum = struct.unpack_from("<QI", data, start)
        end = start + 12 + length + 4
        if masked_crc32c(data[start : start + 8]) != checksum or end > len(data):
            return
        payload = data[start + 12 : end - 4]
        if masked_crc32c(payload) != int.from_bytes(data[end - 4 : end], "little"):
            return
        yield data[start:end], payload
        start = end
