from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3
IMAGES = RNG.normal(size=(60, 4, 5))
TOKENS = np.stack([RNG.permutation(60) % 7 + 2, np.full(60, 9)], axis=1)


def save(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def build(path: Path | str, **more: object) -> TaskData:
    return make_task({"name": "arrays", "path": str(path), **more}, seed=0)


def test_images_become_flat_features_that_keep_their_labels(tmp_path: Path) -> None:
    images = IMAGES.copy()
    images[:, 0, 0] = LABELS
    task = build(save(tmp_path, x=images, y=LABELS))
    assert (task.length, task.num_classes, task.vocab_size, task.token_ranges) == (
        20,
        3,
        None,
        None,
    )
    parts = (task.train, task.val, task.test_split())
    assert [len(part) for part in parts] == [24, 18, 18]
    assert all(part.x.dtype == np.float32 and part.y.dtype == np.int32 for part in parts)
    assert all((part.x[:, 0] == part.y).all() for part in parts)
    seen = np.concatenate([part.x for part in parts])
    wanted = images.reshape(60, 20).astype(np.float32)
    assert (np.unique(seen, axis=0) == np.unique(wanted, axis=0)).all()
    assert "data.npz (20 features, 3 classes): 60 examples" in task.describe()


def test_integers_in_two_dimensions_are_tokens(tmp_path: Path) -> None:
    task = build(save(tmp_path, x=TOKENS, y=LABELS))
    assert (task.vocab_size, task.length) == (10, 2)
    assert task.token_ranges == ((2, 7), (9, 1))
    assert task.train.x.dtype == np.int32


def test_inputs_overrules_the_guess(tmp_path: Path) -> None:
    path = save(tmp_path, x=TOKENS, y=LABELS)
    assert build(path, inputs="features").train.x.dtype == np.float32
    assert build(path, inputs="tokens").vocab_size == 10


def test_integer_images_and_booleans_are_features(tmp_path: Path) -> None:
    assert build(save(tmp_path, x=TOKENS[:, :, None], y=LABELS)).vocab_size is None
    assert build(save(tmp_path, x=TOKENS > 4, y=LABELS)).vocab_size is None


def test_a_column_of_labels_will_do(tmp_path: Path) -> None:
    task = build(save(tmp_path, x=IMAGES, y=LABELS[:, None].astype(np.uint8)))
    assert task.num_classes == 3


def test_stratified_unless_told_otherwise(tmp_path: Path) -> None:
    path = save(tmp_path, x=IMAGES, y=LABELS)
    assert np.bincount(build(path).train.y).tolist() == [8, 8, 8]
    plain = [
        np.bincount(
            make_task({"name": "arrays", "path": str(path), "stratify": False}, seed).train.y
        ).tolist()
        for seed in range(4)
    ]
    assert plain != [[8, 8, 8]] * 4


def test_no_operands_to_encode(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pass rows of x instead, 20 numbers each"):
        build(save(tmp_path, x=IMAGES, y=LABELS)).encode(a=1, b=2)


def with_(array: np.ndarray, index: Any, value: float) -> np.ndarray:
    changed = array.copy()
    changed[index] = value
    return changed


RAGGED = np.empty(60, dtype=object)
RAGGED[:] = [[1] * (i % 3 + 1) for i in range(60)]

BAD_CONTENT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no y": ({"x": IMAGES}, {}, "lacks y; it holds x"),
    "other names": ({"images": IMAGES, "labels": LABELS}, {}, "lacks x and y; it holds images"),
    "empty archive": ({}, {}, "lacks x and y; it holds nothing"),
    "object x": ({"x": RAGGED, "y": LABELS}, {}, "x in .* is an array of Python objects"),
    "object y": ({"x": IMAGES, "y": RAGGED}, {}, "y in .* is an array of Python objects"),
    "lengths": ({"x": IMAGES[:50], "y": LABELS}, {}, "x has 50 rows and y has 60 labels"),
    "flat x": ({"x": IMAGES[:, 0, 0], "y": LABELS}, {}, r"received \(60,\).*reshape"),
    "x without columns": ({"x": IMAGES[:, :0, 0], "y": LABELS}, {}, r"received \(60, 0\)"),
    "scalar x": ({"x": 3.0, "y": LABELS}, {}, r"received \(\)"),
    "nan": ({"x": with_(IMAGES, (7, 1, 1), np.nan), "y": LABELS}, {}, "1 of 60 rows, .* row 7"),
    "infinity": ({"x": with_(IMAGES, (0, 0, 0), np.inf), "y": LABELS}, {}, "row 0"),
    "too large": ({"x": with_(IMAGES, (9, 0, 0), 1e300), "y": LABELS}, {}, "float32, in 1"),
    "complex x": ({"x": IMAGES + 1j, "y": LABELS}, {}, "real numbers, received complex128"),
    "text x": ({"x": IMAGES.astype(str), "y": LABELS}, {}, "x must hold integers or real numbers"),
    "one-hot y": ({"x": IMAGES, "y": np.eye(3)[LABELS]}, {}, r"\(60, 3\).*argmax"),
    "scalar y": ({"x": IMAGES, "y": 1}, {}, r"y must have shape \(n,\), received \(\)"),
    "float y": ({"x": IMAGES, "y": LABELS + 0.5}, {}, "received float64. Map them with"),
    "text y": ({"x": IMAGES, "y": LABELS.astype(str)}, {}, "received <U.*return_inverse"),
    "y from 1": ({"x": IMAGES, "y": LABELS + 1}, {}, "3 different labels between 1 and 3"),
    "gap in y": ({"x": IMAGES, "y": LABELS * 2}, {}, "3 different labels between 0 and 4"),
    "negative y": ({"x": IMAGES, "y": LABELS - 1}, {}, "between -1 and 1"),
    "one class": ({"x": IMAGES, "y": LABELS * 0}, {}, "1 different label"),
    "no examples": ({"x": IMAGES[:0], "y": LABELS[:0]}, {}, "x holds no examples"),
    "two examples": ({"x": IMAGES[:2], "y": LABELS[:2]}, {}, "of 2 examples"),
    "float tokens": ({"x": TOKENS + 0.5, "y": LABELS}, {"inputs": "tokens"}, "received x of float"),
    "3-D tokens": ({"x": TOKENS[:, :, None], "y": LABELS}, {"inputs": "tokens"}, r"\(60, 2, 1\)"),
    "negative tokens": ({"x": TOKENS - 5, "y": LABELS}, {}, "received -3 to 4"),
    "huge tokens": ({"x": TOKENS.astype(np.int64) << 40, "y": LABELS}, {}, "Renumber"),
    "unknown inputs": ({"x": TOKENS, "y": LABELS}, {"inputs": "pixels"}, "received 'pixels'"),
}


@pytest.mark.parametrize("case", BAD_CONTENT)
def test_bad_content_is_one_clear_message(case: str, tmp_path: Path) -> None:
    arrays, options, words = BAD_CONTENT[case]
    with pytest.raises(UserError, match=words):
        build(save(tmp_path, **arrays), **options)


def test_bad_files_are_one_clear_message(tmp_path: Path) -> None:
    good = save(tmp_path, x=IMAGES, y=LABELS).read_bytes()
    bad = tmp_path / "bad.npz"
    with pytest.raises(UserError, match=r"bad.npz does not exist"):
        build(bad)
    with pytest.raises(UserError, match="is a folder"):
        build(tmp_path)
    with pytest.raises(UserError, match=r"task.path is missing"):
        build("")
    np.save(tmp_path / "one.npy", IMAGES)
    with pytest.raises(UserError, match="single array"):
        build(tmp_path / "one.npy")
    for content in (b"", b"x,y\n1,2\n", good[:300], good[:-200], b"\x80\x04N."):
        bad.write_bytes(content)
        with pytest.raises(UserError, match=r"not a sound \.npz"):
            build(bad)


def test_a_flipped_byte_inside_an_array_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path, x=IMAGES, y=LABELS)
    content = bytearray(path.read_bytes())
    content[1000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a sound \.npz"):
        build(path)


def test_pickles_are_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "sprung",))

    trapped = np.empty(60, dtype=object)
    trapped[:] = [Trap() for _ in range(60)]
    path = save(tmp_path, x=IMAGES, y=trapped)
    with pytest.raises(UserError, match="Python objects"):
        build(path)
    assert not (tmp_path / "sprung").exists()
