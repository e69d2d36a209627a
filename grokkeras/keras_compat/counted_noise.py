"""Normal noise that is a function of numbers: the same on every backend, with nothing to save.

Backends draw different numbers from the same seed, and a generator's state would have to be kept.
Here each number is a hash of (key, step, place), so a resumed run draws what it would have drawn.

The hash is "lowbias32" (Wellons 2018, "Prospecting for hash functions"), in int32 arithmetic that
wraps, which all backends have; Box and Muller (1958) make pairs of hashes normal.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B - 2**32
# Odd, so that different keys do not become shifts of each other's counters: 2^32 over the golden
# ratio.
_STRIDE = 0x9E3779B9 - 2**32


def normal(shape: tuple[int, ...], key: int, step: Any) -> Any:
    """Numbers from a standard normal distribution, float32.

    Args:
        shape: of the result.
        key: which noise: one for each tensor and seed; of it 32 bits count.
        step: integer scalar of the backend.
    """
    size = math.prod(shape)
    signed = (key + 2**31) % 2**32 - 2**31
    start = _mixed(ops.cast(step, "int32") + _mixed(ops.convert_to_tensor(signed, "int32")))
    counters = ops.arange(2 * size, dtype="int32") * _STRIDE
    bits = _mixed(ops.bitwise_xor(_mixed(counters), start))
    # 24 bits are what float32 holds; the half keeps 0 out, of which there is no logarithm.
    uniform = (ops.cast(_shifted(bits, 8), "float32") + 0.5) * 2.0**-24
    radius = ops.sqrt(-2.0 * ops.log(uniform[:size]))
    return ops.reshape(radius * ops.cos(2.0 * math.pi * uniform[size:]), shape)


def _mixed(bits: Any) -> Any:
    bits = ops.bitwise_xor(bits, _shifted(bits, 16)) * _FIRST
    bits = ops.bitwise_xor(bits, _shifted(bits, 15)) * _SECOND
    return ops.bitwise_xor(bits, _shifted(bits, 16))


def _shifted(bits: Any, places: int) -> Any:
    """A shift to the right that fills with zeros, though int32 is signed."""
    return ops.bitwise_and(ops.right_shift(bits, places), 2 ** (32 - places) - 1)
