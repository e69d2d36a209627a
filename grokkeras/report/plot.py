"""Axes, curves, stages and marks on a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grokkeras.report.drawing import Drawing, Point

_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 14.0, 22.0, 40.0


@dataclass(frozen=True)
class Scale:
    """Values to points.

    Attributes:
        low, high: the ends of the axis; above 0 where it is logarithmic.
        start, end: their places in points.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool

    def __call__(self, value: float) -> float:
        """The place of a value, kept within the axis."""
        turn = math.log10 if self.log else float
        low, high = turn(self.low), turn(self.high)
        value = min(max(value, self.low), self.high)
        return self.start + (turn(value) - low) / ((high - low) or 1) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values along the axis."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            every = max(1, math.ceil((last - first) / most))
            factors = (1,) if last - first > 2 else (1, 2, 5)
            found = [f * 10.0**p for p in range(first, last + 1, every) for f in factors]
            inside = [v for v in found if self.low * 0.999 <= v <= self.high * 1.001]
            if len(inside) > 1:
                return inside
        raw = (self.high - self.low) / most or 1.0
        power = 10.0 ** math.floor(math.log10(raw))
        unit = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * 0.999)
        first_place = math.ceil(self.low / unit - 1e-9)
        count = math.floor(self.high / unit + 1e-9) - first_place + 1
        return [float(f"{(first_place + k) * unit:.10g}") for k in range(count)]


def short(value: float) -> str:
    """A tick's label."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,g}"


class Plot:
    """A chart over optimizer steps.

    Args:
        width, height: in points.
        steps: first and last step; the axis is logarithmic.
        values: lowest and highest value.
        title: what the chart is called; also the drawing's.
        log: whether the value axis is logarithmic.
        label: a tick's value to text.
        above: the title stands above, for a chart too low for it at its side.
    """

    def __init__(
        self,
        width: float,
        height: float,
        steps: tuple[float, float],
        values: tuple[float, float],
        title: str,
        log: bool = False,
        label: Callable[[float], str] = short,
        above: bool = False,
    ) -> None:
        self.drawing = Drawing(width, height, title)
        self.top, self.bottom = _TOP, height - _BOTTOM
        self.left, self.right = _LEFT, width - _RIGHT
        self.x = Scale(max(1.0, steps[0]), max(steps[1], 10.0), self.left, self.right, True)
        self.y = Scale(values[0], values[1], self.bottom, self.top, log)
        self._label, self._title, self._above = label, title, above

    def stages(self, stages: Sequence[tuple[str, float, float]]) -> None:
        """Shades (name, from, to) and names those that are wide enough. Draw these first."""
        free = self.left
        for name, begin, end in stages:
            left, right = self.x(begin), self.x(end)
            self.drawing.rect(left, self.top, right - left, self.bottom - self.top, name)
            half = 3.2 * len(name)
            # Where the stage is too narrow its name ends with it, if there is room before it.
            middle = (left + right) / 2 if right - left > 2 * half else right - half
            if middle - half >= free:
                self.drawing.text(middle, self.top - 6, name, "dim", 11, "middle")
                free = middle + half + 6

    def axes(self) -> None:
        """Grid, ticks and titles."""
        d = self.drawing
        for value in self.y.ticks(6):
            y = self.y(value)
            d.line([(self.left, y), (self.right, y)], "grid")
            d.text(self.left - 6, y + 4, self._label(value), "dim", 11, "end")
        for value in self.x.ticks(8):
            x = self.x(value)
            d.line([(x, self.top), (x, self.bottom)], "grid")
            d.text(x, self.bottom + 16, short(value), "dim", 11, "middle")
        d.line([(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], "axis")
        d.text(
            (self.left + self.right) / 2,
            self.bottom + 33,
            "optimizer steps (log)",
            "dim",
            11,
            "middle",
        )
        if self._above:
            d.text(self.left, self.top - 8, self._title, "text", 12)
        else:
            middle = (self.top + self.bottom) / 2
            d.text(12, middle, self._title, "text", 12, "middle", upright=True)

    def curve(
        self,
        steps: Sequence[float],
        values: Sequence[float | None],
        color: str,
        width: float = 2.0,
        dash: bool = False,
    ) -> None:
        """A curve; what is missing or has no logarithm breaks it, a point by itself is a dot."""
        for piece in self._pieces(steps, values):
            if len(piece) == 1:
                self.drawing.dot(*piece[0], 1.5 * width, color)
            self.drawing.line(piece, color, width, dash)

    def mark(self, step: float, value: float | None, color: str, hint: str) -> None:
        """A dot on a curve where something happened."""
        height = self.bottom if value is None or (self.y.log and value <= 0) else self.y(value)
        self.drawing.dot(self.x(step), height, 5, "ground")
        self.drawing.dot(self.x(step), height, 4, color, hint)

    def upright(self, step: float, color: str = "dim") -> None:
        """A dashed line at a step."""
        x = self.x(step)
        self.drawing.line([(x, self.top), (x, self.bottom)], color, 1, dash=True)

    def span(self, begin: float, end: float, text: str) -> None:
        """An arrow from step to step, with a text."""
        left, right = self.x(begin), self.x(end)
        y = self.top + (self.bottom - self.top) * 0.45
        if right - left < 24:
            return
        self.drawing.line([(left, y), (right, y)], "text")
        for tip, way in ((left, 6), (right, -6)):
            self.drawing.line([(tip + way, y - 4), (tip, y), (tip + way, y + 4)], "text")
        if right - left > 6.4 * len(text):
            self.drawing.text((left + right) / 2, y - 6, text, "text", 12, "middle")
        else:
            self.drawing.text(left - 6, y + 4, text, "text", 12, "end")

    def _pieces(self, steps: Sequence[float], values: Sequence[float | None]) -> list[list[Point]]:
        pieces: list[list[Point]] = [[]]
        for step, value in zip(steps, values, strict=True):
            if value is None or step < 1 or (self.y.log and value <= 0):
                pieces.append([])
            else:
                pieces[-1].append((self.x(step), self.y(value)))
        return pieces
