"""Drawings as SVG and PNG, and the axes on them."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from grokkeras.report.drawing import DARK, LIGHT, Drawing
from grokkeras.report.plot import Plot, Scale

NASTY = "<script>alert(1)</script> & \"quotes\" 'too'"


def drawn() -> Drawing:
    drawing = Drawing(200, 100, NASTY)
    drawing.rect(0, 0, 50, 100, "run-0")
    drawing.line([(60, 50), (190, 50)], "run-1", 4)
    drawing.line([(60, 80), (190, 80)], "run-1", 4, dash=True)
    drawing.area([(100, 10), (140, 10), (120, 40)], "run-2", 0.5)
    drawing.dot(170, 20, 10, "run-3", NASTY)
    drawing.text(60, 98, NASTY)
    drawing.text(55, 95, "upright", upright=True)
    return drawing


@pytest.mark.parametrize("palette", [None, LIGHT, DARK])
def test_svg_is_sound_and_names_are_text(palette):
    text = drawn().svg(palette)
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == NASTY
    assert "<script" not in text
    assert any(each.text == NASTY for each in root.iter("{http://www.w3.org/2000/svg}text"))
    assert ("var(--run-0)" in text) == (palette is None)


def test_png_has_the_shapes_where_they_belong():
    image = Image.open(io.BytesIO(drawn().png()))
    assert image.size == (400, 200)
    pixels = np.asarray(image.convert("RGB")).astype(int)

    def is_color(x, y, name):
        red, green, blue = (int(LIGHT[name][i : i + 2], 16) for i in (1, 3, 5))
        return np.abs(pixels[2 * y, 2 * x] - [red, green, blue]).max() < 8

    assert is_color(25, 50, "run-0")
    assert is_color(125, 50, "run-1")
    assert is_color(170, 20, "run-3")
    assert is_color(195, 5, "ground")
    row = np.abs(pixels[160, 120:380] - 255).max(axis=1) > 60  # the dashed line
    assert 0.5 < row.mean() < 0.75
    upright = np.abs(pixels[90:190, 100:112] - 255).max(axis=2) > 60
    assert upright.any(axis=0).sum() < upright.any(axis=1).sum()


def test_scales():
    log = Scale(1, 1000, 0, 300, log=True)
    assert [log(v) for v in (1, 10, 1000)] == pytest.approx([0, 100, 300])
    assert log(0.01) == 0
    assert log.ticks() == [1, 10, 100, 1000]
    linear = Scale(-0.02, 1.03, 0, 100, log=False)
    assert linear.ticks(6) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert Scale(5, 5, 0, 100, log=False)(5) == 0


def test_a_missing_value_breaks_the_curve():
    plot = Plot(300, 200, (1, 100), (0, 1), "x")
    plot.curve([1, 2, 3, 4, 5], [0.1, 0.2, None, 0.4, 0.5], "run-0")
    assert plot.drawing.svg().count("<polyline") == 2
