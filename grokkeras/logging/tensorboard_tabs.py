"""What the stock tabs of TensorBoard show beside the curves: settings, results, layout, weights.

    tensorboard/             the configuration as text, HParams (settings and results), the layout
                             of Custom Scalars
    tensorboard/train/       histograms of the weights with `log.histograms`, pictures of the
                             network with `log.images`

All of it is protocol buffers that TensorBoard ships; TensorFlow is not loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG
from tensorboard.plugins.custom_scalar.metadata import create_summary_metadata as layout_metadata
from tensorboard.plugins.histogram.metadata import create_summary_metadata as histogram_metadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.image.metadata import create_summary_metadata as image_metadata
from tensorboard.util import tensor_util

from grokkeras.logging.pictures import Picture

RESULTS = "results"
_BUCKETS = 30
_FINAL = ("train_accuracy", "val_accuracy", "test_accuracy", "val_loss")
_STEPS = ("memorization_step", "grokking_step", "delay_steps")

_ALWAYS = ("accuracy", "loss", "learning_rate", "weight_decay", "dropout_rate")
# The tab shows the first few settings unless asked for others: those said to differ, by name.
_LIKELY_TO_DIFFER = (
    "dropout.rate",
    "optimizer.learning_rate",
    "optimizer.weight_decay",
    "seed",
    "task.train_fraction",
)

_CHARTS = {
    "Learning": {"accuracy": "^accuracy$", "loss": "^loss$"},
    "Why": {
        "weight norm": "^measures/weight_norm$",
        "embedding on frequencies": "^measures/embedding_(ipr|gini)$",
        "restricted and excluded loss": "^measures/(restricted|excluded)_loss$",
        "softmax collapse": "^measures/softmax_collapse$",
    },
    "Schedules": {
        "learning rate": "^learning_rate$",
        "weight decay": "^weight_decay$",
        "dropout rate": "^dropout_rate$",
    },
}

# What a picture shows, told beside it.
_SHOWN = {
    "embedding": "Down: cosine and sine of frequency 1, 2, ...; across: channels. Stripes: the "
    "network keeps its numbers on the circles of few frequencies.",
    "attention": "Down: the first operand; across: the second. The share of attention that the "
    "answer's position gives to the first, a tile a head, dark to bright. Without operands: a row "
    "a head, a column a position.",
    "neurons": "Down: the first operand; across: the second. The activations of the neurons that "
    "vary most, a tile each, dark to bright. Waves: the neuron keeps to one frequency.",
    "confusion": "Down: true classes; across: answers, over the validation split. A diagonal: all "
    "is right.",
}


def layout(measures: Collection[str]) -> Summary:
    """The layout of the Custom Scalars tab: both splits in one chart, then what explains them.

    Args:
        measures: names of those that the run takes; a chart without any is left out.
    """
    proto = layout_pb2.Layout()
    tags = [f"measures/{name}" for name in measures] + list(_ALWAYS)
    for category, charts in _CHARTS.items():
        made = proto.category.add(title=category)
        for title, pattern in charts.items():
            if any(re.search(pattern, tag) for tag in tags):
                made.chart.add(title=title).multiline.tag.append(pattern)
    summary = Summary()
    tensor = TensorProto(dtype=DT_STRING, string_val=[proto.SerializeToString()])
    tensor.tensor_shape.SetInParent()  # a scalar, told from a tensor of unknown shape
    summary.value.add(tag=CONFIG_SUMMARY_TAG, metadata=layout_metadata(), tensor=tensor)
    return summary


def hparams(settings: Mapping[str, Any], name: str) -> list[Summary]:
    """The HParams tab: every setting of this run, and which results stand beside them.

    Args:
        settings: dotted keys; text, numbers and truth values.
        name: groups sessions that are the same run; the run's own.
    """
    start = plugin_data_pb2.SessionStartInfo(group_name=name)
    experiment = api_pb2.Experiment()
    for key, value in settings.items():
        info = experiment.hparam_infos.add(name=key, differs=key in _LIKELY_TO_DIFFER)
        if isinstance(value, bool):
            info.type = api_pb2.DATA_TYPE_BOOL
            start.hparams[key].bool_value = value
        elif isinstance(value, int | float):
            info.type = api_pb2.DATA_TYPE_FLOAT64
            start.hparams[key].number_value = value
        else:
            info.type = api_pb2.DATA_TYPE_STRING
            start.hparams[key].string_value = "null" if value is None else str(value)
    for metric in (*_STEPS, *_FINAL):
        wanted = experiment.metric_infos.add(display_name=metric.replace("_", " "))
        wanted.name.tag = f"{RESULTS}/{metric}"
    data = plugin_data_pb2.HParamsPluginData
    return [
        _hparams_summary(hparams_metadata.EXPERIMENT_TAG, data(experiment=experiment)),
        _hparams_summary(hparams_metadata.SESSION_START_INFO_TAG, data(session_start_info=start)),
    ]


def _hparams_summary(tag: str, data: Any) -> Summary:
    summary = Summary()
    summary.value.add(
        tag=tag,
        metadata=hparams_metadata.create_summary_metadata(data),
        tensor=hparams_metadata.NULL_TENSOR,
    )
    return summary


def results(values: Mapping[str, Any]) -> dict[str, float]:
    """The scalars of a `summary.json` that HParams shows; what never came is left out."""
    final = values.get("final") or {}
    found = {key: values.get(key) for key in _STEPS} | {key: final.get(key) for key in _FINAL}
    return {f"{RESULTS}/{key}": float(v) for key, v in found.items() if v is not None}


def configuration_text(settings: Mapping[str, Any]) -> str:
    """The settings as a Markdown table; nothing in them is markup."""

    def cell(value: object) -> str:
        return str(value).replace("|", "\\|").replace("`", "'").replace("\n", " ")

    rows = "\n".join(f"| `{cell(key)}` | `{cell(value)}` |" for key, value in settings.items())
    return f"| setting | value |\n|---|---|\n{rows}"


def histograms(named: Mapping[str, np.ndarray]) -> Summary:
    """Histograms of weights, one a name; what is not finite is left out."""
    summary = Summary()
    for name, weights in named.items():
        numbers = np.asarray(weights, np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            continue
        counts, edges = np.histogram(numbers, _BUCKETS)
        buckets = np.stack([edges[:-1], edges[1:], counts], axis=1)
        summary.value.add(
            tag=f"weights/{name}",
            metadata=histogram_metadata(display_name=None, description=None),
            tensor=tensor_util.make_tensor_proto(buckets, dtype=np.float64),
        )
    return summary


def images(named: Mapping[str, Picture]) -> Summary:
    """Pictures, one a tag."""
    summary = Summary()
    for tag, picture in named.items():
        height, width = picture.shape
        tensor = TensorProto(dtype=DT_STRING)
        tensor.string_val.extend([str(width).encode(), str(height).encode(), picture.png()])
        tensor.tensor_shape.dim.add(size=3)
        described = next((text for name, text in _SHOWN.items() if name in tag), None)
        metadata = image_metadata(display_name=None, description=described)
        summary.value.add(tag=tag, metadata=metadata, tensor=tensor)
    return summary


def flat_settings(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys; lists and schedules as text."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and "schedule" not in value:
            flat.update(flat_settings(value, f"{above}{key}."))
        elif value is None or isinstance(value, bool | int | float | str):
            flat[f"{above}{key}"] = value
        else:
            flat[f"{above}{key}"] = str(value)
    return flat


def has_tabs(log_dir: str | os.PathLike[str]) -> bool:
    """Whether a run's `tensorboard/` has its settings already: a resumed run wrote them before."""
    return any(Path(log_dir).glob("*tfevents*"))
