"""What the stock tabs show: read back from the event files, as TensorBoard reads them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util

from grokkeras.logging.event_files import read_events
from grokkeras.logging.pictures import Picture
from grokkeras.logging.tensorboard import (
    TensorBoardWriter,
    cut_event_files,
    write_results,
    write_settings,
)

CONFIG = {
    "seed": 3,
    "task": {"name": "modular_arithmetic", "stratify": False},
    "optimizer": {"weight_decay": {"schedule": "cosine", "start": 1.0}, "transforms": []},
    "loss": {"name": "a | `b`\n# <script>"},
    "log": {"measures": ["weight_norm", "restricted_loss"]},
    "recipe": None,
}
SUMMARY = {
    "steps": 900,
    "memorization_step": 100,
    "grokking_step": None,
    "delay_steps": None,
    "final": {"train_accuracy": 1.0, "val_accuracy": 0.5},
}


@pytest.fixture
def board(tmp_path):
    folder = tmp_path / "my run" / "tensorboard"
    write_settings(folder, CONFIG)
    return folder


def values(folder, **chosen):
    """Every value in the event files of one folder, by tag."""
    found = {}
    for path in sorted(folder.glob("*tfevents*")):
        for event in read_events(path):
            for value in event.summary.value:
                assert value.tag not in found or chosen.get("again"), value.tag
                found[value.tag] = (event.step, value)
    return found


def hparams_data(value):
    return metadata.parse_session_start_info_plugin_data(value.metadata.plugin_data.content)


def test_the_configuration_as_text(board):
    step, value = values(board)["configuration"]
    text = tensor_util.make_ndarray(value.tensor).item().decode()
    assert step == 0
    assert value.metadata.plugin_data.plugin_name == "text"
    assert "| `seed` | `3` |" in text
    # A name can neither end its cell nor become a heading.
    assert "| `loss.name` | `a \\| 'b' # <script>` |" in text.splitlines()


def test_hparams(board):
    found = values(board)
    start = hparams_data(found[metadata.SESSION_START_INFO_TAG][1])
    assert start.group_name == "my run"
    assert start.hparams["seed"].number_value == 3
    assert start.hparams["task.stratify"].bool_value is False
    assert start.hparams["task.name"].string_value == "modular_arithmetic"
    assert start.hparams["optimizer.weight_decay"].string_value.startswith("{'schedule'")
    assert start.hparams["recipe"].string_value == "null"
    content = found[metadata.EXPERIMENT_TAG][1].metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    kinds = {info.name: info.type for info in experiment.hparam_infos}
    assert kinds["seed"] == api_pb2.DATA_TYPE_FLOAT64
    assert kinds["task.stratify"] == api_pb2.DATA_TYPE_BOOL
    first = {info.name for info in experiment.hparam_infos if info.differs}
    assert first == {"optimizer.weight_decay", "seed"}
    tags = [metric.name.tag for metric in experiment.metric_infos]
    assert tags[:3] == ["results/memorization_step", "results/grokking_step", "results/delay_steps"]


def test_results(board):
    write_results(board, SUMMARY)
    found = values(board)
    results = {tag: (step, v.simple_value) for tag, (step, v) in found.items() if "results" in tag}
    assert results == {
        "results/memorization_step": (900, 100.0),
        "results/train_accuracy": (900, 1.0),
        "results/val_accuracy": (900, 0.5),
    }


def test_the_layout_has_the_charts_that_have_data(board):
    value = values(board)["custom_scalars__config__"][1]
    layout = layout_pb2.Layout.FromString(tensor_util.make_ndarray(value.tensor).item())
    charts = {chart.title: list(chart.multiline.tag) for c in layout.category for chart in c.chart}
    assert charts["accuracy"] == ["^accuracy$"]
    assert "restricted and excluded loss" in charts
    assert "embedding on frequencies" not in charts


def test_a_resumed_run_has_its_settings_once(board):
    write_results(board, SUMMARY)
    cut_event_files(board.parent, 500)  # back to a checkpoint before the end
    write_settings(board, CONFIG)
    write_results(board, SUMMARY | {"steps": 950})
    found = values(board)
    assert found["results/val_accuracy"][0] == 950
    assert "configuration" in found


def test_histograms(tmp_path):
    writer = TensorBoardWriter(tmp_path)
    weights = np.array([[0.0, 1.0], [1.0, 3.0], [np.nan, np.inf]])
    writer.histograms(7, {"layer/kernel": weights, "empty": np.zeros(0)})
    writer.close()
    found = values(tmp_path / "train")
    assert list(found) == ["weights/layer/kernel"]
    step, value = found["weights/layer/kernel"]
    buckets = tensor_util.make_ndarray(value.tensor)
    assert step == 7
    assert buckets.shape == (30, 3)
    assert buckets[:, 2].sum() == 4
    assert (buckets[0, 0], buckets[-1, 1]) == (0, 3)
    assert value.metadata.plugin_data.plugin_name == "histograms"


def test_images(tmp_path):
    writer = TensorBoardWriter(tmp_path)
    picture = Picture(np.ones((100, 200), np.uint8))
    writer.images(7, {"network/confusion": picture, "network/neurons/block_0": picture})
    writer.close()
    found = values(tmp_path / "train")
    assert list(found) == ["network/confusion", "network/neurons/block_0"]
    for step, value in found.values():
        width, height, *files = value.tensor.string_val
        assert (step, int(width), int(height), files) == (7, 200, 100, [picture.png()])
        assert value.metadata.plugin_data.plugin_name == "images"
    assert "validation" in found["network/confusion"][1].metadata.summary_description


def test_tensorflow_is_not_loaded(tmp_path):
    code = f"""
import sys
import numpy as np
from grokkeras.logging.event_files import read_events
from grokkeras.logging.pictures import fourier_picture
from grokkeras.logging.projector import write_projector
from grokkeras.logging.tensorboard import TensorBoardWriter, write_results, write_settings
write_settings({str(tmp_path)!r}, {CONFIG!r})
writer = TensorBoardWriter({str(tmp_path)!r})
writer.histograms(1, {{"w": np.ones(3)}})
writer.images(1, {{"w": fourier_picture(np.ones((3, 3)))}})
writer.close()
write_results({str(tmp_path)!r}, {SUMMARY!r})
write_projector({str(tmp_path)!r}, {{"a": ("a", np.ones((2, 2)))}}, {{"token": [0, 1]}})
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
