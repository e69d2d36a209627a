"""The Projector tab of TensorBoard: embeddings as tables of numbers, without TensorFlow.

    tensorboard/train/projector_config.pbtxt    which tables there are
    tensorboard/train/projector/NAME.tsv        one row a token
    tensorboard/train/projector/labels.tsv      what each row is called

The tab opens with a principal component analysis: where a network keeps its numbers on a circle,
the circle is what one sees.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from grokkeras.files import write_atomic
from grokkeras.logging.tensorboard import TRAIN

_WHAT = "the embeddings for TensorBoard's projector"


def write_projector(
    log_dir: str | os.PathLike[str],
    tables: Mapping[str, tuple[str, np.ndarray]],
    labels: Mapping[str, Sequence[object]],
) -> None:
    """Writes embeddings in place of those that were there.

    Args:
        log_dir: the run's `tensorboard/`.
        tables: by file name, (what the tab calls it, (rows, channels)); the first opens by itself.
        labels: by title, one a row; the tab names points by the first and colours by any.
    """
    folder = Path(log_dir) / TRAIN
    (folder / "projector").mkdir(parents=True, exist_ok=True)
    columns = [[_cell(each) for each in column] for column in labels.values()]
    lines = ["\t".join(row) for row in zip(*columns, strict=True)]
    if len(columns) > 1:  # a title above a single column would be taken for a label
        lines.insert(0, "\t".join(map(_cell, labels)))
    write_atomic(folder / "projector" / "labels.tsv", _text(lines), _WHAT)
    config = ProjectorConfig()
    for name, (title, table) in tables.items():
        rows = ["\t".join(f"{number:.5g}" for number in row) for row in np.asarray(table, float)]
        write_atomic(folder / "projector" / f"{name}.tsv", _text(rows), _WHAT)
        config.embeddings.add(
            tensor_name=title,
            tensor_path=f"projector/{name}.tsv",
            metadata_path="projector/labels.tsv",
        )
    described = text_format.MessageToString(config).encode()
    write_atomic(folder / "projector_config.pbtxt", described, _WHAT)


def _cell(value: object) -> str:
    return " ".join(str(value).split())


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
