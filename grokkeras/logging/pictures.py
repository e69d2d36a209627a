"""Arrays as small pictures: an embedding in its Fourier basis, heat maps, the confusion matrix.

Each function is pure. A picture holds levels of a palette (see `png`); its file has a few KB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grokkeras.logging.png import GAP, LEVELS, encode

# Points on the shorter side of a picture; smaller ones are enlarged to it.
_LEAST = 96
_BETWEEN = 2


@dataclass(frozen=True, eq=False)
class Picture:
    """An image before it is a file.

    Attributes:
        levels: (height, width) uint8: 0 transparent, 1 to `LEVELS` the palette's colours.
        palette: `sequential` or `diverging`.
    """

    levels: np.ndarray
    palette: str = "sequential"

    def png(self) -> bytes:
        """The file, enlarged by whole pixels where it is small."""
        times = -(-_LEAST // min(self.levels.shape))
        return encode(self.levels.repeat(times, axis=0).repeat(times, axis=1), self.palette)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the file."""
        times = -(-_LEAST // min(self.levels.shape))
        return self.levels.shape[0] * times, self.levels.shape[1] * times


def fourier_picture(table: np.ndarray) -> Picture:
    """An embedding in its Fourier basis: stripes where a network keeps to few frequencies.

    Rows are the cosine and sine of frequency 1, of frequency 2, ... (an even order's last frequency
    has no sine); columns are channels; the colour is the coefficient, from -max to max (Nanda et
    al. 2023, arXiv 2301.05217, figure 3).

    Args:
        table: (n, channels), row k the vector of the element k of Z_n, n at least 2.
    """
    table = np.asarray(table, np.float64)
    n = len(table)
    spectrum = np.fft.rfft(table, axis=0)[1:]
    waves = np.stack([spectrum.real, -spectrum.imag], axis=1).reshape(-1, table.shape[1])
    return Picture(diverging_levels(waves[: n - 1]), "diverging")


def grid(maps: Sequence[np.ndarray], signed: bool = False) -> Picture:
    """Heat maps side by side in a grid as square as can be, each on the whole range of colours.

    Args:
        maps: (height, width) each, all of one shape; at least one.
        signed: colours from -max to max instead of from min to max.
    """
    columns = int(np.ceil(np.sqrt(len(maps))))
    rows = -(-len(maps) // columns)
    height, width = maps[0].shape
    levels = np.full(
        (rows * (height + _BETWEEN) - _BETWEEN, columns * (width + _BETWEEN) - _BETWEEN),
        GAP,
        np.uint8,
    )
    for place, values in enumerate(maps):
        top, left = divmod(place, columns)
        top, left = top * (height + _BETWEEN), left * (width + _BETWEEN)
        drawn = diverging_levels(values) if signed else sequential_levels(values)
        levels[top : top + height, left : left + width] = drawn
    return Picture(levels, "diverging" if signed else "sequential")


def confusion_picture(labels: np.ndarray, answers: np.ndarray, num_classes: int) -> Picture:
    """The confusion matrix: a diagonal where all is right.

    Rows are the true classes, columns the answers, the colour the share of a class's examples.

    Args:
        labels: (n,) classes.
        answers: (n,) what the model says.
        num_classes: number of classes.
    """
    places = np.asarray(labels, np.int64) * num_classes + answers
    counts = np.bincount(places, minlength=num_classes**2).reshape(num_classes, num_classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return Picture(_levels(shares))


def sequential_levels(values: np.ndarray) -> np.ndarray:
    """Levels from the least value to the greatest; what is not finite is a gap."""
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.full(values.shape, GAP, np.uint8)
    low, high = float(finite.min()), float(finite.max())
    return _levels((values - low) / ((high - low) or 1.0))


def diverging_levels(values: np.ndarray) -> np.ndarray:
    """Levels from -max to max, 0 in the middle; what is not finite is a gap."""
    values = np.asarray(values, np.float64)
    finite = np.abs(values[np.isfinite(values)])
    most = float(finite.max()) if finite.size else 0.0
    return _levels(values / (2 * most or 1.0) + 0.5)


def _levels(shares: np.ndarray) -> np.ndarray:
    """Levels of numbers from 0 to 1."""
    known = np.isfinite(shares)
    levels = 1 + np.rint(np.where(known, shares, 0.0) * (LEVELS - 1))
    return np.where(known, levels, GAP).astype(np.uint8)
