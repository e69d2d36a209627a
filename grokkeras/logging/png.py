"""PNG files of a few kilobytes: one byte a pixel, colours from a palette. zlib alone is needed.

The format is that of the W3C's recommendation (PNG, third edition, 2025): a signature, then chunks
of (length, name, bytes, checksum). Level 0 is transparent, so that gaps take the page's colour.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

LEVELS = 31  # odd, so that 0 has the middle one to itself
GAP = 0

# Red, green and blue at even distances, dark to bright or through a neutral middle; both also tell
# apart for eyes that see no difference between red and green.
_ANCHORS = {
    "sequential": ((18, 16, 64), (92, 38, 126), (186, 60, 92), (240, 140, 60), (252, 246, 190)),
    "diverging": ((24, 66, 140), (120, 170, 214), (242, 240, 236), (226, 150, 92), (140, 56, 20)),
}


def encode(levels: np.ndarray, palette: str = "sequential") -> bytes:
    """A PNG file.

    Args:
        levels: (height, width) uint8; 0 is transparent, 1 to `LEVELS` are the palette's colours.
        palette: `sequential` or `diverging`.
    """
    height, width = levels.shape
    # Each row begins with the number of its filter: 0, none, which packs repeated rows best.
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = levels
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(3) + colours(palette).tobytes()),
            _chunk(b"tRNS", bytes(1)),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def colours(palette: str) -> np.ndarray:
    """Red, green and blue of the levels from 1 on: (`LEVELS`, 3) uint8."""
    anchors = np.array(_ANCHORS[palette], float)
    at = np.linspace(0, len(anchors) - 1, LEVELS)
    places = np.arange(len(anchors))
    mixed = [np.interp(at, places, channel) for channel in anchors.T]
    return np.stack(mixed, axis=1).round().astype(np.uint8)


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )
