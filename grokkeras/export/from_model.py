"""Exports a Keras model that is in memory, of this package or anybody's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from grokkeras.errors import UserError
from grokkeras.export.card import card_of_rows
from grokkeras.export.job import MODEL_FILE, Job
from grokkeras.export.pipeline import MAX_INPUTS, Exported, export_model, sample_inputs
from grokkeras.export.reference import model_logits


def export_keras_model(
    model: Any,
    out: str | Path,
    name: str,
    version: int | None = None,
    *,
    inputs: np.ndarray | None = None,
    from_logits: bool = True,
    imports: Sequence[str] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Exported:
    """Exports a classifier with one input of rows and one output, a number for each class.

    Args:
        model: a built Keras model, on any backend.
        out: the folder of all models.
        name: of this one.
        version: its number; None takes the next.
        inputs: (n, length) integers or real numbers, on which the exported forms are compared;
            integers must reach the least and largest token of each position, since the server
            refuses others. None: all rows that a token model of this package allows, or an even
            sample of them.
        from_logits: whether the model gives logits; else probabilities.
        imports: modules that register the custom classes of the model.
        provenance: goes into the manifest.

    Returns:
        The published version.

    Raises:
        UserError: inputs are missing or have another shape, or it cannot be written there.
        GrokkerasError: a process failed, or the exported model answers otherwise.
    """
    rows = rows_of(model) if inputs is None else np.asarray(inputs)
    if rows.ndim != 2 or not len(rows) or rows.dtype.kind not in "iuf":
        raise UserError(
            f"Export needs inputs of shape (n, length), integers or real numbers; received "
            f"{rows.dtype} of shape {rows.shape}."
        )
    rows = sample_with_extremes(rows).astype("int32" if rows.dtype.kind in "iu" else "float32")
    logits = model_logits(model, rows, from_logits)
    if logits.ndim != 2:
        raise UserError(
            f"Export needs a model that gives (batch, classes); received {logits.shape}."
        )

    def make_job(scratch: Path) -> Job:
        model.save(scratch / MODEL_FILE)
        return Job(
            scratch=scratch,
            name=name,
            backend=keras.backend.backend(),
            card=card_of_rows(rows, logits.shape[1]).to_dict(),
            imports=["grokkeras.models", *imports],
            from_logits=from_logits,
        )

    return export_model(make_job, out, name, version, rows, provenance or {}, logits)


def rows_of(model: Any) -> np.ndarray:
    """All rows that the token ranges of a model allow, or an even sample of `MAX_INPUTS` of them.

    Raises:
        UserError: the model does not say which tokens may stand where.
    """
    ranges = model.get_config().get("token_ranges")
    if not ranges:
        raise UserError(
            "Export compares the exported model on inputs, and this model does not tell which "
            "tokens it takes. Pass inputs=x, rows such as those it was trained on."
        )
    counts = [count for _, count in ranges]
    total = math.prod(counts)
    # Python's own integers: the product may be beyond 64 bits.
    places = [
        place * (total - 1) // max(min(total, MAX_INPUTS) - 1, 1)
        for place in range(min(total, MAX_INPUTS))
    ]
    columns = []
    for first, count in reversed(ranges):
        columns.append([first + place % count for place in places])
        places = [place // count for place in places]
    return np.array(columns[::-1], dtype=np.int32).T


def sample_with_extremes(rows: np.ndarray) -> np.ndarray:
    """At most about `MAX_INPUTS` rows, those with each column's extremes among them.

    The token ranges that the server lets pass are read off these rows.
    """
    if len(rows) <= MAX_INPUTS:
        return rows
    extremes = rows[np.concatenate([rows.argmin(axis=0), rows.argmax(axis=0)])]
    return np.concatenate([sample_inputs(rows, max(MAX_INPUTS - len(extremes), 1)), extremes])
