"""One version of a model: its files checked against the manifest, loaded, tried, leased."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from grokkeras.serving.batcher import Batcher
from grokkeras.serving.card import EXTRA, OUTPUTS, SIGNATURES, Card, read_card
from grokkeras.serving.engines import LOADERS, Engine
from grokkeras.serving.errors import UnsoundVersionError

MANIFEST = "manifest.json"
_LOADED = ("saved_model.pb", "variables/*", f"{EXTRA}/model.onnx", f"{EXTRA}/*.json")


class Version:
    """A version that answers requests.

    Args:
        name: the model's.
        number: its own.
        card: its description.
        signatures: as TensorFlow Serving's metadata shows them.
        engine: its engine.
        batcher: through which requests reach the engine.

    Attributes:
        leases: requests under way.
    """

    def __init__(
        self,
        name: str,
        number: int,
        card: Card,
        signatures: dict[str, Any],
        engine: Engine,
        batcher: Batcher,
    ) -> None:
        self.name = name
        self.number = number
        self.card = card
        self.signatures = signatures
        self.engine = engine
        self.batcher = batcher
        self.leases = 0

    @contextlib.contextmanager
    def lease(self) -> Iterator[Version]:
        """While entered, the version is not unloaded."""
        self.leases += 1
        try:
            yield self
        finally:
            self.leases -= 1


def load_engine(folder: Path, engine: str) -> tuple[Card, dict[str, Any], Engine]:
    """Checks, loads and tries a version.

    Args:
        folder: the version's.
        engine: a name in `LOADERS`.

    Raises:
        UnsoundVersionError: says what is wrong with it.
    """
    check_files(folder)
    card = read_card(folder)
    loaded = LOADERS[engine](folder, card)
    try:
        answers = loaded.run(card.row[None], OUTPUTS)
    except Exception as error:  # an engine raises whatever its parts raise
        raise UnsoundVersionError(f"it fails on the row {card.row.tolist()} ({error})") from error
    for name, shape in (("logits", (1, card.num_classes)), ("class", (1,)), ("probability", (1,))):
        if answers[name].shape != shape:
            raise UnsoundVersionError(
                f"its output {name} has shape {answers[name].shape}, expected {shape}"
            )
    return card, _read_signatures(folder), loaded


def check_files(folder: Path) -> None:
    """Holds every file against the manifest's checksum.

    Raises:
        UnsoundVersionError: one is missing or another, one that would be loaded is not in the
            manifest, or there is no sound manifest.
    """
    try:
        _check_kind(folder, MANIFEST)
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        listed = {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        raise UnsoundVersionError(
            f"{MANIFEST} is missing: copied in part, or not exported by grokkeras"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnsoundVersionError(f"{MANIFEST} cannot be used ({error})") from error
    for pattern in _LOADED:
        for path in folder.glob(pattern):
            if path.relative_to(folder).as_posix() not in listed:
                raise UnsoundVersionError(
                    f"{path.relative_to(folder)} is not among the files that {MANIFEST} vouches for"
                )
    for name, expected in listed.items():
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            raise UnsoundVersionError(f"{MANIFEST} names a file outside the version: {name!r}")
        try:
            _check_kind(folder, name)
            with (folder / inside).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UnsoundVersionError(f"{name} cannot be read ({error.strerror})") from error
        if found != expected:
            raise UnsoundVersionError(f"{name} is not the file that {MANIFEST} vouches for")


def _check_kind(folder: Path, name: str) -> None:
    # Reading a pipe or a device might never end.
    if (folder / name).exists() and not (folder / name).is_file():
        raise UnsoundVersionError(f"{name} is no file")


def _read_signatures(folder: Path) -> dict[str, Any]:
    try:
        signatures = json.loads((folder / EXTRA / "signatures.json").read_bytes())
    except (OSError, ValueError) as error:
        raise UnsoundVersionError(f"{EXTRA}/signatures.json cannot be used ({error})") from error
    if not isinstance(signatures, dict) or not set(SIGNATURES) <= set(signatures):
        raise UnsoundVersionError(f"{EXTRA}/signatures.json lacks {sorted(SIGNATURES)}")
    return signatures
