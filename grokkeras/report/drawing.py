"""Shapes and text on a page, written as SVG or PNG.

Colours are names of a palette, so that one drawing fits a light and a dark page, and paper.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
RUNS = 8  # how many colours run-0, run-1, ... there are

# Told apart by colour-blind eyes as well; paper and light pages.
LIGHT = {
    "ground": "#ffffff",
    "text": "#202124",
    "dim": "#5f6368",
    "grid": "#e3e5e8",
    "axis": "#9aa0a6",
    "memorizing": "#eef2f7",
    "overfitting": "#fdf1dc",
    "grokked": "#e2f4ea",
    "collapsed": "#fbe3e1",
    "run-0": "#0072b2",
    "run-1": "#d55e00",
    "run-2": "#009e73",
    "run-3": "#c2609a",
    "run-4": "#8f6b00",
    "run-5": "#4b4bb8",
    "run-6": "#56a4d8",
    "run-7": "#7a4a32",
}
DARK = LIGHT | {
    "ground": "#202124",
    "text": "#f1f3f4",
    "dim": "#bdc1c6",
    "grid": "#3c4043",
    "axis": "#80868b",
    "memorizing": "#2a2f36",
    "overfitting": "#3a3120",
    "grokked": "#20382b",
    "collapsed": "#422727",
    "run-0": "#5ab4f0",
    "run-1": "#ff9a4d",
    "run-2": "#3ccf9c",
    "run-3": "#e79ac5",
    "run-4": "#e0b93c",
    "run-5": "#9d9df5",
    "run-6": "#b5e0ff",
    "run-7": "#c99a80",
}
# PNG is drawn at this multiple and made smaller, which smooths its lines.
_SCALE, _SMOOTH = 2, 2

Point = tuple[float, float]


@dataclass
class Drawing:
    """A page of a given size in points, with shapes on it.

    Attributes:
        width, height: in points.
        title: what it shows, for those who cannot see it.
    """

    width: float
    height: float
    title: str = ""
    _shapes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle."""
        self._add("rect", x=x, y=y, width=width, height=height, fill=fill)

    def line(
        self, points: Sequence[Point], color: str, width: float = 1.0, dash: bool = False
    ) -> None:
        """A line through points."""
        if len(points) > 1:
            self._add("line", points=list(points), color=color, width=width, dash=dash)

    def area(self, points: Sequence[Point], fill: str, opacity: float) -> None:
        """A filled outline."""
        if len(points) > 2:
            self._add("area", points=list(points), fill=fill, opacity=opacity)

    def dot(self, x: float, y: float, radius: float, fill: str, hint: str = "") -> None:
        """A filled circle; `hint` is shown when the pointer rests on it."""
        self._add("dot", x=x, y=y, radius=radius, fill=fill, hint=hint)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        color: str = "text",
        size: float = 12,
        anchor: str = "start",
        upright: bool = False,
    ) -> None:
        """A text whose baseline is at y; `upright` turns it to be read from below."""
        self._add(
            "text", x=x, y=y, text=text, color=color, size=size, anchor=anchor, upright=upright
        )

    def place(self, other: Drawing, x: float, y: float) -> None:
        """Another drawing's shapes, moved."""
        for kind, shape in other._shapes:
            moved = dict(shape)
            if "points" in moved:
                moved["points"] = [(px + x, py + y) for px, py in moved["points"]]
            else:
                moved["x"], moved["y"] = moved["x"] + x, moved["y"] + y
            self._shapes.append((kind, moved))

    def svg(self, palette: Mapping[str, str] | None = None) -> str:
        """As SVG.

        Args:
            palette: colours by name; None: the page's, by CSS variables.
        """

        def color(name: str) -> str:
            return f"var(--{name})" if palette is None else palette[name]

        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}"'
            f' width="{self.width:g}" height="{self.height:g}" role="img"'
            f' aria-label={quoteattr(self.title)} font-family="{FONT}">'
        ]
        if palette is not None:
            parts.append(f'<rect width="100%" height="100%" fill="{palette["ground"]}"/>')
        parts += [_svg(kind, shape, color) for kind, shape in self._shapes]
        return "".join(parts) + "</svg>"

    def png(self, palette: Mapping[str, str] = LIGHT) -> bytes:
        """As PNG, at twice its size in points."""
        from PIL import Image, ImageDraw

        scale = _SCALE * _SMOOTH
        size = (round(self.width * scale), round(self.height * scale))
        image = Image.new("RGB", size, palette["ground"])
        draw = ImageDraw.Draw(image, "RGBA")
        for kind, shape in self._shapes:
            _paint(image, draw, kind, shape, palette, scale)
        image = image.resize((size[0] // _SMOOTH, size[1] // _SMOOTH), Image.Resampling.LANCZOS)
        # A drawing has few colours and their blends: a palette makes the file a third of the size.
        image = image.quantize(128, dither=Image.Dither.NONE)
        written = io.BytesIO()
        image.save(written, "PNG", optimize=True)
        return written.getvalue()

    def _add(self, kind: str, **shape: Any) -> None:
        self._shapes.append((kind, shape))


def _svg(kind: str, s: Mapping[str, Any], color: Any) -> str:
    if kind == "rect":
        where = f'x="{s["x"]:.1f}" y="{s["y"]:.1f}" width="{s["width"]:.1f}"'
        return f'<rect {where} height="{s["height"]:.1f}" fill="{color(s["fill"])}"/>'
    if kind == "dot":
        hint = f"<title>{escape(s['hint'])}</title>" if s["hint"] else ""
        where = f'cx="{s["x"]:.1f}" cy="{s["y"]:.1f}" r="{s["radius"]:g}"'
        return f'<circle {where} fill="{color(s["fill"])}">{hint}</circle>'
    if kind == "text":
        turned = f' transform="rotate(-90 {s["x"]:.1f} {s["y"]:.1f})"' if s["upright"] else ""
        return (
            f'<text x="{s["x"]:.1f}" y="{s["y"]:.1f}" font-size="{s["size"]:g}"'
            f' text-anchor="{s["anchor"]}" fill="{color(s["color"])}"{turned}>'
            f"{escape(s['text'])}</text>"
        )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in s["points"])
    if kind == "area":
        fill = color(s["fill"])
        return f'<polygon points="{points}" fill="{fill}" fill-opacity="{s["opacity"]:g}"/>'
    dash = ' stroke-dasharray="5 3"' if s["dash"] else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{color(s["color"])}"'
        f' stroke-width="{s["width"]:g}" stroke-linejoin="round"{dash}/>'
    )


def _paint(
    image: Any, draw: Any, kind: str, s: Mapping[str, Any], palette: Mapping[str, str], scale: int
) -> None:
    if kind == "rect":
        x, y = s["x"] * scale, s["y"] * scale
        box = [x, y, x + s["width"] * scale - 1, y + s["height"] * scale - 1]
        draw.rectangle(box, fill=palette[s["fill"]])
    elif kind == "dot":
        x, y, r = s["x"] * scale, s["y"] * scale, s["radius"] * scale
        draw.ellipse([x - r, y - r, x + r, y + r], fill=palette[s["fill"]])
    elif kind == "text":
        _write(image, draw, s, palette, scale)
    elif kind == "area":
        red, green, blue = (int(palette[s["fill"]][i : i + 2], 16) for i in (1, 3, 5))
        points = [(x * scale, y * scale) for x, y in s["points"]]
        draw.polygon(points, fill=(red, green, blue, round(255 * s["opacity"])))
    else:
        points = [(x * scale, y * scale) for x, y in s["points"]]
        width = max(1, round(s["width"] * scale))
        for piece in _dashes(points, 5 * scale, 3 * scale) if s["dash"] else [points]:
            draw.line(piece, fill=palette[s["color"]], width=width, joint="curve")


def _write(
    image: Any, draw: Any, s: Mapping[str, Any], palette: Mapping[str, str], scale: int
) -> None:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=s["size"] * scale)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[s["anchor"]]
    x, y, color = s["x"] * scale, s["y"] * scale, palette[s["color"]]
    if not s["upright"]:
        draw.text((x, y), s["text"], fill=color, font=font, anchor=anchor)
        return
    left, top, right, bottom = font.getbbox(s["text"], anchor="ls")
    label = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(label).text((1 - left, 1 - top), s["text"], fill=255, font=font, anchor="ls")
    turned = label.rotate(90, expand=True)
    shift = {"start": 1.0, "middle": 0.5, "end": 0.0}[s["anchor"]]
    where = (round(x + top), round(y - turned.height * shift))
    image.paste(color, where, turned)


def _dashes(points: Sequence[Point], on: float, off: float) -> list[list[Point]]:
    """A line cut into dashes of length `on` with gaps of length `off`."""
    pieces: list[list[Point]] = [[points[0]]]
    left, drawing = on, True
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if drawing:
                pieces[-1].append(at)
            else:
                pieces.append([at])
            drawing = not drawing
            left = on if drawing else off
        left -= length - done
        if drawing:
            pieces[-1].append((x1, y1))
    return [piece for piece in pieces if len(piece) > 1]
