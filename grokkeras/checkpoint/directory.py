"""One checkpoint directory: written, sealed with checksums, read back and verified."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.checkpoint import array_file
from grokkeras.files import fsync_dir, write_synced
from grokkeras.strict_json import plain

FORMAT_VERSION = 1

_ARRAYS = "arrays.safetensors"
_BEST = "best.safetensors"
_STATE = "state.json"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Checkpoint:
    """What `CheckpointStore.load_newest` found.

    Attributes:
        step: number of optimizer updates the weights have seen.
        arrays: name to array, as given to `save`.
        best: the same for the best weights so far, or None.
        state: as given to `save`, after a round trip through JSON.
        path: the checkpoint's directory.
    """

    step: int
    arrays: dict[str, np.ndarray]
    best: dict[str, np.ndarray] | None
    state: dict[str, Any]
    path: Path = field(compare=False)


class DamagedError(Exception):
    """Why one checkpoint cannot be used, in words that end a sentence."""


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads one checkpoint directory and verifies every byte of it.

    Raises:
        DamagedError: a file is missing, cut short or altered, or the format is another version's.
    """
    path = Path(path)
    manifest = _read_manifest(path)
    content = {name: _read(path / name, known) for name, known in manifest["files"].items()}
    try:
        best = array_file.decode(content[_BEST]) if _BEST in content else None
        return Checkpoint(
            step=manifest["step"],
            arrays=array_file.decode(content[_ARRAYS]),
            best=best,
            state=json.loads(content[_STATE]),
            path=path,
        )
    except (KeyError, ValueError) as error:
        raise DamagedError(f"its files are not a checkpoint's ({error})") from error


def write(
    directory: Path,
    step: int,
    arrays: Mapping[str, np.ndarray],
    best: Mapping[str, np.ndarray] | None,
    state: Mapping[str, object],
    score: Sequence[float | None],
) -> None:
    """Fills an empty directory with a checkpoint, fsynced; arguments as for `CheckpointStore`."""
    files = {_ARRAYS: array_file.encode(arrays)}
    if best is not None:
        files[_BEST] = array_file.encode(best)
    files[_STATE] = [json.dumps(dict(state), default=plain).encode()]
    listed = {}
    for name, parts in files.items():
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        listed[name] = {"sha256": digest.hexdigest(), "bytes": sum(len(part) for part in parts)}
        write_synced(directory / name, *parts)
    manifest = {
        "format_version": FORMAT_VERSION,
        "step": step,
        "score": [_comparable(item) for item in score],
        "files": listed,
    }
    write_synced(directory / _MANIFEST, _seal(manifest))
    fsync_dir(directory)


def _seal(manifest: Mapping[str, object]) -> bytes:
    """The manifest's text with its own checksum as the last key."""
    digest = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    return json.dumps({**manifest, "checksum": digest}).encode()


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        text = (path / _MANIFEST).read_bytes()
    except OSError as error:
        raise DamagedError(_unreadable(_MANIFEST, error)) from error
    try:
        sealed = json.loads(text)
        manifest = {key: sealed[key] for key in sealed if key != "checksum"}
        sound = text == _seal(manifest)
    except (ValueError, TypeError) as error:
        raise DamagedError(f"{_MANIFEST} is cut short or altered") from error
    if not sound:
        raise DamagedError(f"{_MANIFEST} is altered: its checksum differs")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise DamagedError(
            f"its format version is {manifest.get('format_version')!r}, "
            f"this grokkeras reads version {FORMAT_VERSION}"
        )
    return manifest


def _read(path: Path, known: Mapping[str, object]) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedError(_unreadable(path.name, error)) from error
    if len(data) != known["bytes"]:
        raise DamagedError(f"{path.name} has {len(data)} bytes, expected {known['bytes']}")
    if hashlib.sha256(data).hexdigest() != known["sha256"]:
        raise DamagedError(f"{path.name} is altered: its checksum differs")
    return data


def _unreadable(name: str, error: OSError) -> str:
    return f"{name} is missing" if isinstance(error, FileNotFoundError) else str(error)


def score_of(path: Path) -> list[float]:
    """The score `save` was given, for comparisons; a damaged manifest's sorts beneath all."""
    try:
        score = _read_manifest(path)["score"]
    except DamagedError:
        return []
    return [-math.inf if item is None else item for item in score]


def _comparable(item: float | None) -> float | None:
    """None for what sorts beneath every number; JSON has neither NaN nor infinities."""
    return None if item is None or not item > -math.inf else float(item)
