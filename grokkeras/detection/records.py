"""Reads the evaluations of a recorded run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grokkeras.errors import UserError


def read_records(
    source: str | Path | Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """The records of `source`, one an evaluation.

    Args:
        source: path of a JSON-lines file, or the records themselves. A last line that a killed
            process left torn (no newline, no JSON) is left out.
        keys: what every record must hold.

    Raises:
        UserError: no such file, a line is no JSON object, or a record lacks a key.
    """
    if isinstance(source, (str, Path)):
        placed = _read_lines(Path(source))
    else:
        placed = ((f"record {number}", record) for number, record in enumerate(source, start=1))
    for where, record in placed:
        if not isinstance(record, Mapping):
            raise UserError(f"{where}: expected a JSON object, received {record!r}.")
        missing = [key for key in keys if key not in record]
        if missing:
            raise UserError(
                f"{where}: expected the keys {', '.join(keys)}; {', '.join(missing)} missing. "
                f"It holds {', '.join(map(str, record)) or 'none'}."
            )
        yield record


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read the metrics in {path}: {error.strerror}.") from error
    with file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                yield where, json.loads(line)
            except json.JSONDecodeError as error:
                if not line.endswith("\n"):
                    return
                raise UserError(f"{where}: not JSON ({error.msg}).") from error
