"""What a checkpoint holds, which ones are kept, and which are passed over."""

from __future__ import annotations

import json
import math
import shutil

import ml_dtypes
import numpy as np
import pytest

from grokkeras.checkpoint import CheckpointStore, DamagedError, directory, load
from grokkeras.checkpoint import store as checkpoint_store

ARRAYS = {
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([0.5, -1.25], dtype=ml_dtypes.bfloat16),
    "iterations": np.array(500, dtype=np.int64),
    "seed": np.array([1, 4294967295], dtype=np.uint32),
    "empty": np.zeros((0, 4), np.float16),
}
FILES = ["arrays.safetensors", "best.safetensors", "state.json", "manifest.json"]


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def save(store, step, score=(0.0, 0.0, 0.0), **state):
    arrays = {**ARRAYS, "iterations": np.array(step, np.int64)}
    return store.save(step, arrays, {"kernel": ARRAYS["kernel"] + 1}, state, score)


def names(store):
    return sorted(path.name for path in store.directory.iterdir())


def same(left, right):
    return list(left) == list(right) and all(
        left[k].dtype == right[k].dtype
        and left[k].shape == right[k].shape
        and left[k].tobytes() == right[k].tobytes()
        for k in left
    )


def test_all_of_it_comes_back(store):
    state = {"detector": {"phase": "memorizing", "since": None}, "offsets": {"metrics.jsonl": 17}}
    store.save(500, ARRAYS, {"kernel": ARRAYS["kernel"] + 1}, state, (0.5, -1.0, -500))
    found, skipped = store.load_newest()

    assert skipped == []
    assert found.step == 500
    assert same(found.arrays, ARRAYS)
    assert same(found.best, {"kernel": ARRAYS["kernel"] + 1})
    assert found.state == state
    assert names(store) == ["step-00000500"]


def test_without_best_weights_there_are_none(store):
    store.save(1, ARRAYS, None, {}, ())
    assert store.load_newest()[0].best is None
    assert sorted(p.name for p in (store.directory / "step-00000001").iterdir()) == [
        "arrays.safetensors",
        "manifest.json",
        "state.json",
    ]


def test_state_may_hold_numpy_numbers_and_what_is_not_finite(store):
    state = {"best_loss": math.inf, "last": math.nan, "step": np.int64(3), "lr": np.float32(0.5)}
    store.save(3, {}, None, state, (np.float32(0.5),))
    loaded = store.load_newest()[0].state

    assert loaded["best_loss"] == math.inf
    assert math.isnan(loaded["last"])
    assert (loaded["step"], loaded["lr"]) == (3, 0.5)


def test_no_checkpoint_is_none(store):
    assert store.load_newest() == (None, [])


def test_the_newest_three_and_the_best_are_kept(store):
    for step, accuracy in [(100, 0.1), (200, 0.9), (300, 0.2), (400, 0.3), (500, 0.4), (600, 0.5)]:
        save(store, step, (accuracy, -1.0, -step))

    assert store.steps() == [200, 400, 500, 600]


def test_scores_compare_item_by_item_and_nan_is_worst(store):
    scores = {
        100: (0.9, -0.5, -100),
        200: (0.9, -0.4, -200),  # the same accuracy, less loss: the best
        300: (0.9, math.nan, -300),
        400: (math.nan, 0.0, -400),
        500: (None, 0.0, -500),
        600: (-math.inf, 0.0, -600),
    }
    for step, score in scores.items():
        save(store, step, score)

    assert store.steps() == [200, 400, 500, 600]


def test_of_equal_scores_the_earlier_checkpoint_is_kept(store):
    """Two checkpoints after the same evaluation have its score; the first is nearer to it."""
    for step in (100, 200, 300, 400, 500):
        save(store, step, (0.5, -1.0, -90))

    assert store.steps() == [100, 300, 400, 500]


def test_steps_beyond_eight_digits_sort_by_number(store):
    for step in (99_999_999, 100_000_000, 100_000_001):
        save(store, step)

    assert store.load_newest()[0].step == 100_000_001
    assert (store.directory / "step-100000000").is_dir()


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_byte_is_found(store, name):
    save(store, 100)
    newest = save(store, 200)
    sound = (newest / name).read_bytes()
    for position in {0, 1, len(sound) // 3, len(sound) // 2, len(sound) - 1}:
        for mask in (0x01, 0x20, 0x80):
            damaged = bytearray(sound)
            damaged[position] ^= mask
            (newest / name).write_bytes(damaged)
            found, skipped = store.load_newest()
            assert found.step == 100, (position, mask)
            assert len(skipped) == 1
            assert "step-00000200" in skipped[0]
            assert name in skipped[0]
            assert "altered" in skipped[0]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_found(store, name, share):
    save(store, 100)
    path = save(store, 200) / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    found, skipped = store.load_newest()

    assert found.step == 100
    assert "step-00000200" in skipped[0]
    assert name in skipped[0]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(store, name):
    save(store, 100)
    (save(store, 200) / name).unlink()
    found, skipped = store.load_newest()

    assert found.step == 100
    assert skipped == [f"Skipped checkpoint step-00000200: {name} is missing."]


def test_another_format_version_is_named(store, monkeypatch):
    monkeypatch.setattr("grokkeras.checkpoint.directory.FORMAT_VERSION", 7)
    path = save(store, 100)
    monkeypatch.undo()

    with pytest.raises(DamagedError, match="format version is 7, this grokkeras reads version 1"):
        load(path)


def test_all_damaged_is_none_with_every_reason(store):
    for step in (100, 200):
        (save(store, step) / "state.json").unlink()
    found, skipped = store.load_newest()

    assert found is None
    assert ["00000200" in skipped[0], "00000100" in skipped[1]] == [True, True]


def test_leftovers_are_ignored_and_removed_by_the_next_save(store):
    path = save(store, 100)
    shutil.copytree(path, store.directory / ".tmp-00000900")
    assert store.load_newest()[0].step == 100
    assert store.steps() == [100]

    save(store, 200)
    assert names(store) == ["step-00000100", "step-00000200"]


def test_a_damaged_checkpoint_of_the_same_step_is_replaced(store):
    (save(store, 100) / "state.json").unlink()
    save(store, 100, marker="new")

    assert store.load_newest()[0].state == {"marker": "new"}
    assert names(store) == ["step-00000100"]


def test_a_kill_between_the_two_renames_of_a_replacement_loses_nothing(store, monkeypatch):
    save(store, 100, marker="old")
    fsynced = []
    monkeypatch.setattr("grokkeras.checkpoint.store.fsync_dir", fsynced.append)
    rename = type(store.directory).rename

    def killed(path, target):
        if path.name.startswith(".tmp-") and "deleted" not in path.name:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(type(store.directory), "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        save(store, 100, marker="new")
    monkeypatch.undo()

    assert names(store) == [".replaced-00000100"]
    assert store.load_newest()[0].state == {"marker": "old"}
    save(store, 100, marker="newer")
    assert names(store) == ["step-00000100"]
    assert store.load_newest()[0].state == {"marker": "newer"}


def test_later_checkpoints_that_resume_went_back_behind_are_deleted(store):
    save(store, 100)
    for step in (200, 300):
        (save(store, step) / "arrays.safetensors").unlink()
    assert store.load_newest()[0].step == 100

    save(store, 150)
    assert store.steps() == [100, 150]


def test_a_failed_save_leaves_the_others_and_no_rubbish(store):
    save(store, 100)
    with pytest.raises(TypeError, match="dtype object"):
        store.save(200, {"w": np.array([object()])}, None, {}, ())

    assert names(store) == ["step-00000100"]


def test_every_file_and_directory_is_fsynced_before_the_rename(store, monkeypatch):
    """After a power cut only what was fsynced is certain to be there."""
    done = []
    for module, function in [
        (directory, "write_synced"),
        (directory, "fsync_dir"),
        (checkpoint_store, "fsync_dir"),
    ]:
        original = getattr(module, function)

        def wrapped(path, *parts, function=function, original=original):
            names = sorted(child.name for child in store.directory.glob("step-*"))
            done.append((function, path.name, names))
            original(path, *parts)

        monkeypatch.setattr(module, function, wrapped)
    store.directory.mkdir()
    save(store, 100)

    assert done == [
        *[("write_synced", name, []) for name in FILES],
        ("fsync_dir", ".tmp-00000100", []),
        ("fsync_dir", "checkpoints", ["step-00000100"]),
    ]


def test_the_manifest_is_readable_json(store):
    manifest = json.loads((save(store, 100, (0.5, math.nan, -100)) / "manifest.json").read_text())

    assert manifest["format_version"] == 1
    assert manifest["step"] == 100
    assert manifest["score"] == [0.5, None, -100.0]
    assert set(manifest["files"]) == set(FILES) - {"manifest.json"}
