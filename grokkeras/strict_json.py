"""JSON that every reader accepts: NaN and infinities become null, NumPy scalars plain numbers.

Python's `json` writes the bare words NaN and Infinity, which browsers, jq and TensorBoard's own
parser refuse. Everything a user may read from a run folder goes through here; `number` reads a
number back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping


def plain(value: object) -> object:
    """`json`'s `default`: NumPy scalars and arrays (told by `tolist`) as Python numbers, lists."""
    convert = getattr(value, "tolist", None)
    if convert is None:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
    return convert()


def finite(value: object) -> object:
    """A copy of a JSON-able `value` with None in place of every NaN and infinity."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return finite(plain(value))


def number(value: object) -> float | None:
    """`value` if it is a finite number, else None: null, NaN and missing metrics look alike."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def dumps(value: object, indent: int | None = None) -> str:
    """`value` as strict JSON, key order kept.

    Args:
        value: dicts, lists, tuples, strings, numbers, None, NumPy scalars and arrays.
        indent: spaces a level; None writes one line.

    Returns:
        The text, without a final newline.

    Raises:
        TypeError: something in `value` has no JSON form.
    """
    try:
        return json.dumps(value, allow_nan=False, indent=indent, default=plain)
    except ValueError:  # something is not finite: rare, so only then is the copy paid for
        return json.dumps(finite(value), allow_nan=False, indent=indent)
