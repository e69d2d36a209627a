"""Named arrays in one file, in the safetensors layout: no pickle, every dtype bit for bit.

The layout (https://github.com/huggingface/safetensors#format) is 8 bytes, the length of the
header as a little-endian integer; the header, a JSON object {name: {dtype, shape,
data_offsets}}; then the raw bytes. NumPy's own `.npz` loses bfloat16, which NumPy knows only
through the package ml_dtypes; here the name of the type is written beside the bytes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "bfloat16": "BF16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
}
_NAMES = {code: name for name, code in _DTYPES.items()}

# How a bfloat16 array looks where ml_dtypes is absent: two bytes a value, told by the field name.
_RAW_BFLOAT16 = np.dtype([("bfloat16", "<u2")])


def encode(arrays: Mapping[str, np.ndarray]) -> list[bytes | memoryview]:
    """The file's content in parts, to be written one after the other.

    Args:
        arrays: name to array of any shape, 0-d and empty ones included.

    Raises:
        TypeError: an array of a dtype that has no fixed layout, such as object.
    """
    header: dict[str, object] = {}
    parts: list[bytes | memoryview] = []
    offset = 0
    for name, array in arrays.items():
        array = np.asarray(array)
        code = _DTYPES.get(_dtype_name(array.dtype))
        if code is None:
            raise TypeError(
                f"Array {name!r} has dtype {array.dtype}; expected one of {', '.join(_DTYPES)}."
            )
        raw = _raw_bytes(array)
        header[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(raw)],
        }
        parts.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the data starts aligned, as the layout asks
    return [struct.pack("<Q", len(text)), text, *parts]


def decode(data: bytes | bytearray) -> dict[str, np.ndarray]:
    """The arrays of `encode`, each an owned, writable copy.

    Raises:
        ValueError: `data` is not such a file.
    """
    try:
        (length,) = struct.unpack_from("<Q", data)
        if 8 + length > len(data):
            raise ValueError(f"a header of {length} bytes, but {len(data)} bytes in all")
        header = json.loads(bytes(data[8 : 8 + length]))
        body = memoryview(data)[8 + length :]
        return {
            name: _array(body, entry) for name, entry in header.items() if name != "__metadata__"
        }
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an array file: {error}") from error


def _array(body: memoryview, entry: Mapping[str, Any]) -> np.ndarray:
    start, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    dtype = _dtype(_NAMES[entry["dtype"]])
    if end - start != math.prod(shape) * dtype.itemsize or end > len(body):
        raise ValueError(f"shape {shape} of {dtype} does not fill bytes {start} to {end}")
    flat = np.empty(math.prod(shape), dtype)
    flat.view(np.uint8)[...] = np.frombuffer(body[start:end], np.uint8)
    return flat.reshape(shape)


def _raw_bytes(array: np.ndarray) -> memoryview:
    """The values in C order, little-endian."""
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _dtype_name(dtype: np.dtype[Any]) -> str:
    return "bfloat16" if dtype == _RAW_BFLOAT16 else dtype.name


def _dtype(name: str) -> np.dtype[Any]:
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        return _RAW_BFLOAT16
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return dtype
