"""Pictures: decoded again by Pillow, which TensorBoard brings along."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from grokkeras.logging.pictures import (
    Picture,
    confusion_picture,
    diverging_levels,
    fourier_picture,
    grid,
    sequential_levels,
)
from grokkeras.logging.png import GAP, LEVELS, colours, encode


def pixels(content):
    """(height, width, 4) of a PNG file."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


@pytest.mark.parametrize("palette", ["sequential", "diverging"])
def test_png(palette):
    levels = np.arange(0, LEVELS + 1, dtype=np.uint8).reshape(4, 8)
    found = pixels(encode(levels, palette)).reshape(-1, 4)
    assert found[0, 3] == 0
    assert (found[1:, 3] == 255).all()
    assert np.array_equal(found[1:, :3], colours(palette))
    assert len(np.unique(colours(palette), axis=0)) == LEVELS


def test_brightness_rises_and_zero_is_the_brightest_of_a_diverging_one():
    weights = np.array([0.299, 0.587, 0.114])
    assert (np.diff(colours("sequential") @ weights) > 0).all()
    middle = int(np.argmax(colours("diverging") @ weights))
    assert middle == LEVELS // 2


def test_levels():
    assert sequential_levels(np.array([2.0, 3.0, 4.0])).tolist() == [1, 16, LEVELS]
    assert diverging_levels(np.array([-1.0, 0.0, 4.0])).tolist() == [12, 16, LEVELS]
    # What is not finite is a gap, and does not set the scale; a flat map has one colour.
    odd = sequential_levels(np.array([np.nan, 0.0, 1.0, np.inf]))
    assert odd.tolist() == [GAP, 1, LEVELS, GAP]
    assert set(sequential_levels(np.ones(3))) == {1}
    assert sequential_levels(np.full(2, np.nan)).tolist() == [GAP, GAP]
    assert set(diverging_levels(np.zeros(3))) == {16}


@pytest.mark.parametrize("n", [12, 13])
def test_one_frequency_is_two_stripes(n):
    angles = 2 * np.pi * 3 * np.arange(n) / n
    table = 7 + np.stack([np.cos(angles), np.sin(angles), -np.cos(angles)], axis=1)
    levels = fourier_picture(table).levels
    assert levels.shape == (n - 1, 3)
    middle = int(diverging_levels(np.zeros(1))[0])
    striped = np.flatnonzero((levels != middle).any(axis=1))
    assert striped.tolist() == [4, 5]  # cosine and sine of frequency 3
    assert levels[4].tolist() == [LEVELS, middle, 1]
    assert levels[5].tolist() == [middle, LEVELS, middle]


def test_a_grid_is_as_square_as_can_be():
    maps = [np.array([[0.0, place]]) for place in range(1, 6)]
    levels = grid(maps).levels
    assert levels.shape == (1 + 2 + 1, 2 + 2 + 2 + 2 + 2)
    # Each map on its own scale; gaps between, and where there is none.
    assert levels[0].tolist() == [1, 31, 0, 0, 1, 31, 0, 0, 1, 31]
    assert levels[3].tolist() == [1, 31, 0, 0, 1, 31, 0, 0, 0, 0]
    assert (levels[1:3] == GAP).all()


def test_confusion():
    picture = confusion_picture(np.array([0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1]), 3)
    level = {0.25: 9, 0.75: 23, 1.0: 31}
    expected = [[level[1.0], 1, 1], [level[0.25], level[0.75], 1], [1, 1, 1]]
    assert picture.levels.tolist() == expected


def test_small_ones_are_enlarged_by_whole_pixels():
    picture = Picture(np.array([[1, 31]], np.uint8))
    found = pixels(picture.png())
    assert found.shape == (*picture.shape, 4) == (96, 192, 4)
    assert len(np.unique(found[:, :96].reshape(-1, 4), axis=0)) == 1
    assert Picture(np.ones((97, 200), np.uint8)).shape == (97, 200)


def test_files_are_small_even_of_noise():
    noise = np.random.default_rng(0)
    assert len(fourier_picture(noise.normal(size=(113, 128))).png()) < 10_000
    assert len(grid([noise.normal(size=(64, 64)) for _ in range(9)]).png()) < 26_000
