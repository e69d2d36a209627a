"""Learning curves in text: train and validation over a logarithmic axis of steps.

Pure functions from records to lines. A line is a list of (text, role) pairs, so that a view can
colour the roles `train`, `validation` and `axis`; `plain` joins them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grokkeras.strict_json import number

Line = list[tuple[str, str]]

ROLES = (("train", "train"), ("val", "validation"))
MIN_WIDTH, MIN_HEIGHT = 48, 5
_GUTTER = 7  # a label of six characters and the axis

# Bits of a braille character by (column, row) of its 2 x 4 dots, from U+2800 on.
_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def draw(
    records: Sequence[Mapping[str, Any]],
    width: int,
    height: int,
    *,
    last_step: int | None = None,
    braille: bool = True,
) -> list[Line]:
    """Draws accuracy, or where no record has one, the loss on a logarithmic scale.

    Args:
        records: evaluations in order, with `step`, `train_accuracy`, `val_accuracy`, `train_loss`,
            `val_loss`. Missing, null and NaN values leave a gap.
        width: characters a line, `MIN_WIDTH` at least.
        height: lines, `MIN_HEIGHT` at least: one legend, two of axis, the rest curve.
        last_step: right end of the axis; default the last record's step.
        braille: fine dots in braille characters; otherwise ASCII.

    Returns:
        `height` lines, or none where there is nothing to draw or no room.
    """
    metric = next((m for m in ("accuracy", "loss") if _has(records, m)), None)
    if metric is None or width < MIN_WIDTH or height < MIN_HEIGHT:
        return []
    columns, rows = width - _GUTTER, height - 3
    across, down = (2 * columns, 4 * rows) if braille else (columns, rows)
    end = max(2, last_step or 0, *(int(record["step"]) for record in records))
    low, high = (0.0, 1.0) if metric == "accuracy" else _log_range(records)
    dots = {}
    for key, role in ROLES:
        points = (
            (
                _x(record["step"], end, across),
                _y(number(record.get(f"{key}_{metric}")), metric, low, high, down),
            )
            for record in records
        )
        dots[role] = _lines_between(points)
    labels = _y_labels(metric, low, high, rows)
    grid = _braille_rows(dots, columns, rows) if braille else _ascii_rows(dots, columns, rows)
    return [
        _legend(metric, braille),
        *(
            [(f"{label:>6}" + ("│" if braille else "|"), "axis"), *cells]
            for label, cells in zip(labels, grid, strict=True)
        ),
        *_step_axis(end, columns, braille),
    ]


def plain(lines: Iterable[Line]) -> list[str]:
    """The lines as strings, without trailing blanks."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def short_count(count: int) -> str:
    """1000 as "1k", 3100 as "3.1k", 2000000 as "2M"."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def _has(records: Sequence[Mapping[str, Any]], metric: str) -> bool:
    return any(
        number(record.get(f"{key}_{metric}")) is not None for record in records for key, _ in ROLES
    )


def _log_range(records: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Whole decades around every positive loss, as exponents of ten, one decade at least."""
    values = [number(record.get(f"{key}_loss")) for record in records for key, _ in ROLES]
    logs = [math.log10(value) for value in values if value is not None and value > 0]
    if not logs:
        return -1.0, 0.0
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return float(low), float(max(high, low + 1))


def _x(step: float, end: int, across: int) -> int:
    return round(math.log10(max(step, 1)) / math.log10(end) * (across - 1))


def _y(value: float | None, metric: str, low: float, high: float, down: int) -> int | None:
    """Row of the dot, 0 the uppermost; None leaves a gap."""
    if value is None:
        return None
    if metric == "loss":
        value = math.log10(value) if value > 0 else low
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return round((1 - share) * (down - 1))


def _lines_between(points: Iterable[tuple[int, int | None]]) -> set[tuple[int, int]]:
    dots = set()
    before: tuple[int, int] | None = None
    for x, y in points:
        if y is None:
            before = None
            continue
        if (x, y) == before:
            continue
        x0, y0 = before or (x, y)
        pieces = max(abs(x - x0), abs(y - y0), 1)
        for piece in range(pieces + 1):
            dots.add((x0 + round((x - x0) * piece / pieces), y0 + round((y - y0) * piece / pieces)))
        before = (x, y)
    return dots


def _braille_rows(dots: Mapping[str, set[tuple[int, int]]], columns: int, rows: int) -> list[Line]:
    bits = [[0] * columns for _ in range(rows)]
    roles = [["axis"] * columns for _ in range(rows)]
    for role, where in dots.items():  # validation comes last and takes the cells they share
        for x, y in where:
            bits[y // 4][x // 2] |= _BRAILLE[x % 2][y % 4]
            roles[y // 4][x // 2] = role
    characters = [[chr(0x2800 + cell) if cell else " " for cell in row] for row in bits]
    return [_runs(*row) for row in zip(characters, roles, strict=True)]


def _ascii_rows(dots: Mapping[str, set[tuple[int, int]]], columns: int, rows: int) -> list[Line]:
    characters = [[" "] * columns for _ in range(rows)]
    roles = [["axis"] * columns for _ in range(rows)]
    for (role, where), mark in zip(dots.items(), ".#", strict=True):
        for x, y in where:
            characters[y][x] = mark
            roles[y][x] = role
    return [_runs(*row) for row in zip(characters, roles, strict=True)]


def _runs(characters: list[str], roles: list[str]) -> Line:
    """Neighbours of one role joined."""
    line: Line = []
    for character, role in zip(characters, roles, strict=True):
        if line and line[-1][1] == role:
            line[-1] = (line[-1][0] + character, role)
        else:
            line.append((character, role))
    return line


def _legend(metric: str, braille: bool) -> Line:
    marks = ("━ ", "━ ") if braille else (". ", "# ")
    return [
        (" " * _GUTTER, "axis"),
        (f"{marks[0]}train", "train"),
        ("   ", "axis"),
        (f"{marks[1]}validation", "validation"),
        (f"   {metric} by step", "axis"),
    ]


def _y_labels(metric: str, low: float, high: float, rows: int) -> list[str]:
    labels = [""] * rows
    shown = ("100 %", "0 %") if metric == "accuracy" else (f"1e{high:+03.0f}", f"1e{low:+03.0f}")
    labels[0], labels[-1] = shown
    if metric == "accuracy" and rows % 2 and rows > 2:
        labels[rows // 2] = "50 %"
    return labels


def _step_axis(end: int, columns: int, braille: bool) -> list[Line]:
    """The axis with a tick at each power of ten, and its labels."""
    corner, dash, tick = ("└", "─", "┴") if braille else ("+", "-", "+")
    axis, labels = [dash] * columns, [" "] * columns
    last = short_count(end)
    free_to = columns - len(last) - 1
    labels[columns - len(last) :] = last
    free_from = 0
    for power in range(int(math.log10(end)) + 1):
        column = _x(10**power, end, columns)
        axis[column] = tick
        label = short_count(10**power)
        start = max(0, column - len(label) // 2)
        if free_from <= start and start + len(label) <= free_to:
            labels[start : start + len(label)] = label
            free_from = start + len(label) + 1
    return [
        [(" " * (_GUTTER - 1) + corner + "".join(axis), "axis")],
        [(" " * _GUTTER + "".join(labels), "axis")],
    ]
