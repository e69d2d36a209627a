"""Arrays come back bit for bit, whatever their dtype and shape."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grokkeras.checkpoint.array_file import decode, encode

DTYPES = [
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "float32", "float64"),
]


def round_trip(arrays):
    return decode(b"".join(encode(arrays)))


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.sampled_from(DTYPES).flatmap(
            lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
        ),
        max_size=4,
    )
)
def test_every_array_comes_back_with_its_bits(arrays):
    loaded = round_trip(arrays)

    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        assert loaded[name].shape == array.shape
        assert loaded[name].tobytes() == array.tobytes()


def test_bfloat16_keeps_every_bit_pattern():
    bits = np.arange(2**16, dtype=np.uint16)
    loaded = round_trip({"w": bits.view(ml_dtypes.bfloat16).reshape(256, 256)})["w"]

    assert loaded.dtype == ml_dtypes.bfloat16
    assert np.array_equal(loaded.reshape(-1).view(np.uint16), bits)


def test_bfloat16_survives_a_process_without_ml_dtypes(tmp_path):
    array = np.array([1.5, -2.0, np.nan], dtype=ml_dtypes.bfloat16)
    source, copy = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"".join(encode({"w": array})))
    code = (
        "import sys; sys.modules['ml_dtypes'] = None\n"
        "from pathlib import Path\n"
        "from grokkeras.checkpoint.array_file import decode, encode\n"
        f"arrays = decode(Path({str(source)!r}).read_bytes())\n"
        "assert arrays['w'].dtype.names == ('bfloat16',), arrays['w'].dtype\n"
        f"Path({str(copy)!r}).write_bytes(b''.join(encode(arrays)))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

    assert copy.read_bytes() == source.read_bytes()


def test_order_in_memory_does_not_matter():
    array = np.arange(12, dtype=np.float64).reshape(3, 4)
    given_ = {"t": array.T, "s": array[:, ::2], "big": array.astype(">f8"), "zero": array[0, 0]}
    loaded = round_trip(given_)

    for name, value in given_.items():
        assert np.array_equal(loaded[name], value)
    assert loaded["zero"].shape == ()
    assert loaded["big"].dtype == np.dtype("<f8")


def test_loaded_arrays_are_writable_and_aligned():
    loaded = round_trip({"odd": np.ones(3, np.int8), "w": np.ones(3, np.float64)})["w"]

    loaded[0] = 2.0
    assert loaded.flags.aligned
    assert loaded.flags.writeable


def test_the_layout_is_safetensors():
    """By hand, from the published layout: header length, JSON header, raw bytes."""
    data = b"".join(encode({"w": np.array([[1.0, 2.0]], np.float32)}))

    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    assert json.loads(data[8 : 8 + length]) == {
        "w": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}
    }
    assert data[8 + length :] == struct.pack("<ff", 1.0, 2.0)


def test_an_array_of_objects_is_refused_and_never_pickled():
    with pytest.raises(TypeError, match="'w' has dtype object; expected one of bool"):
        encode({"w": np.array([object()])})


WHOLE = b"".join(encode({"w": np.ones(4, np.float32)}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an array file"),
        (b"\x05", "not an array file"),
        (struct.pack("<Q", 100) + b"{}", "a header of 100 bytes, but 10 bytes in all"),
        (struct.pack("<Q", 2) + b"[]", "not an array file"),
        (struct.pack("<Q", 9) + b'{"w": {}}', "not an array file"),
        (WHOLE[:-1], "does not fill bytes 0 to 16"),
        (WHOLE.replace(b"[4]", b"[5]"), "does not fill bytes 0 to 16"),
        (WHOLE.replace(b"F32", b"F31"), "not an array file: 'F31'"),
    ],
)
def test_what_is_no_array_file_is_a_value_error(data, message):
    with pytest.raises(ValueError, match=message):
        decode(data)
