"""Reads what Weights & Biases keeps of a run on this machine, so that tests see what was sent.

The file is a log of records in the manner of LevelDB: blocks of 32 KiB, in them pieces that begin
with (checksum, length, kind). A header of 7 bytes belongs to the first block.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

_BLOCK, _HEAD = 32768, 7
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def read_runs(folder: Path) -> list[dict]:
    """Every sitting's run that is kept in `folder`/wandb, oldest first.

    Returns:
        `id`, `project`, `config`, `history` (list of rows with `_step`), `summary`, `exit`.
    """
    return [_read(path) for path in sorted((folder / "wandb").glob("offline-run-*/*.wandb"))]


def _read(path: Path) -> dict:
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict = {"config": {}, "history": [], "summary": {}, "exit": None}
    for payload in _records(path.read_bytes()):
        record = Record.FromString(payload)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found |= {"id": record.run.run_id, "project": record.run.project}
            _update(found["config"], record.run.config.update)
        elif kind == "config":
            _update(found["config"], record.config.update)
        elif kind == "history":
            row: dict = {}
            _update(row, record.history.item)
            found["history"].append(row)
        elif kind == "summary":
            _update(found["summary"], record.summary.update)
        elif kind == "exit":
            found["exit"] = record.exit.exit_code
    return found


def _update(into: dict, items: object) -> None:
    for item in items:  # type: ignore[attr-defined]
        into[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)


def _records(data: bytes) -> list[bytes]:
    assert data[:4] == b":W&B"
    place, whole, parts = _HEAD, [], []
    while place + _HEAD <= len(data):
        if _BLOCK - place % _BLOCK < _HEAD:  # no room for a head: the rest of the block is empty
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        if kind not in (_WHOLE, _FIRST, _MIDDLE, _LAST):
            break
        parts.append(data[place + _HEAD : place + _HEAD + length])
        place += _HEAD + length
        if kind in (_WHOLE, _LAST):
            whole.append(b"".join(parts))
            parts = []
    return whole
