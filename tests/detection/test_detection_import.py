"""What runs before a backend is chosen must not load one, nor NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grokkeras.detection.direction import detector_metric
from grokkeras.errors import UserError

REPO = Path(__file__).resolve().parents[2]


def test_detection_is_plain_python_until_numpy_is_needed():
    code = """
import sys
import grokkeras.detection as d
heavy = {"numpy", "keras", "jax", "torch", "tensorflow"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
d.Detector().update(1, 1.0, 1.0)
assert "numpy" not in sys.modules
assert all(hasattr(d, name) for name in d.__all__)
assert heavy & set(sys.modules) == {"numpy"}
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO)


@pytest.mark.parametrize(
    ("names", "metric"),
    [
        (("accuracy", "val_accuracy"), "accuracy"),
        (("sparse_categorical_accuracy", "val_sparse_categorical_accuracy"), "accuracy"),
        (("auc_1", "val_auc_1"), "accuracy"),
        (("recall_at_5", "val_recall_at_5"), "accuracy"),
        (("acc", "val_acc"), "accuracy"),
        (("loss", "val_loss"), "loss"),
        (("mean_squared_error", "val_mean_squared_error"), "loss"),
        (("my_mae", "val_my_mae"), "loss"),
        (("sparse_categorical_crossentropy", "val_sparse_categorical_crossentropy"), "loss"),
    ],
)
def test_direction_by_name(names, metric):
    assert detector_metric(*names) == metric


def test_direction_by_mode_and_where_names_do_not_tell():
    assert detector_metric("x", "val_x", "max") == "accuracy"
    assert detector_metric("x", "val_x", "min") == "loss"
    with pytest.raises(UserError, match="mode='max'"):
        detector_metric("x", "val_x")
    with pytest.raises(UserError, match="name the same metric twice"):
        detector_metric("loss", "val_accuracy")
    with pytest.raises(UserError, match="auto, max, min"):
        detector_metric("loss", "val_loss", "up")
