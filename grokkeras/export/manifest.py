"""`manifest.json`: where an exported version comes from, and the checksum of every file in it."""

from __future__ import annotations

import datetime
import hashlib
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grokkeras.environment import package_version
from grokkeras.files import fsync_dir, write_atomic
from grokkeras.strict_json import dumps

MANIFEST = "manifest.json"
_PACKAGES = ("grokkeras", "keras", "tensorflow", "jax", "torch", "numpy", "onnx", "tf2onnx")


def file_sums(folder: Path) -> dict[str, dict[str, Any]]:
    """`sha256` and `bytes` of every file below `folder` but the manifest, by its relative path."""
    sums = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            sums[name] = {"sha256": digest, "bytes": path.stat().st_size}
    return sums


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def write_manifest(
    folder: Path,
    name: str,
    version: int,
    provenance: Mapping[str, Any],
    now: Callable[[], datetime.datetime] = _utc_now,
) -> dict[str, Any]:
    """Writes `manifest.json` last of a version's files, all of which it vouches for.

    Args:
        folder: the version's folder, otherwise complete.
        name: of the model.
        version: its number.
        provenance: what is known of the model's origin; goes in as it is.
        now: the clock.

    Returns:
        What was written.
    """
    manifest = {
        "schema_version": 1,
        "name": name,
        "version": version,
        "created": now().isoformat(timespec="seconds"),
        **provenance,
        "versions": {
            "python": platform.python_version(),
            **{package: package_version(package) for package in _PACKAGES},
        },
        "files": file_sums(folder),
    }
    write_atomic(folder / MANIFEST, (dumps(manifest, indent=2) + "\n").encode())
    for path in folder.rglob("*"):
        if path.is_dir():
            fsync_dir(path)
    return manifest
