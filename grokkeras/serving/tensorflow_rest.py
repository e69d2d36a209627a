"""TensorFlow Serving's REST protocol, version 1: requests to rows, answers to JSON.

`instances` answers `predictions`, row by row; `inputs` answers `outputs`, column by column. Where
a signature has one output, its name is left out.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

from typing import Any

import numpy as np

from grokkeras.serving.card import SIGNATURES, Card
from grokkeras.serving.errors import NotFoundError, RequestError, shown
from grokkeras.serving.repository import Model
from grokkeras.serving.rows import checked_rows
from grokkeras.serving.version import Version

_KEYS = ("signature_name", "instances", "inputs")


def read_predict(
    request: dict[str, Any], card: Card, max_rows: int
) -> tuple[np.ndarray, tuple[str, ...], bool]:
    """A `:predict` request.

    Args:
        request: the body.
        card: what the model takes.
        max_rows: more are refused.

    Returns:
        The rows, the outputs that the signature has, and whether the answer is row by row.

    Raises:
        RequestError: something in it is wrong; names the field.
    """
    for key in request:
        if key not in _KEYS:
            raise RequestError(f"Unknown key {shown(key)}; expected some of {', '.join(_KEYS)}.")
    if ("instances" in request) == ("inputs" in request):
        raise RequestError("Expected either instances or inputs, and not both.")
    signature = request.get("signature_name", "serving_default")
    if not isinstance(signature, str):
        raise RequestError(f"signature_name: expected a string, received {shown(signature)}.")
    outputs = SIGNATURES.get(signature or "serving_default")
    if outputs is None:
        raise RequestError(
            f"Serving signature name: {shown(signature)} not found in signature def; there are "
            f"{', '.join(SIGNATURES)}."
        )
    by_row = "instances" in request
    values = _instances(request["instances"], card) if by_row else _inputs(request["inputs"], card)
    field = "instances" if by_row else "inputs"
    return checked_rows(values, card, field, max_rows), outputs, by_row


def _instances(values: Any, card: Card) -> Any:
    """Rows, also where each is an object with the input's name."""
    if not isinstance(values, list) or not any(type(row) is dict for row in values):
        return values
    for place, row in enumerate(values):
        if type(row) is not dict or list(row) != [card.input_name]:
            raise RequestError(
                f"instances[{place}]: expected an object with the key {card.input_name!r} alone, "
                f"as the other instances, received {shown(row)}."
            )
    return [row[card.input_name] for row in values]


def _inputs(values: Any, card: Card) -> Any:
    """Rows, also where they are in an object under the input's name."""
    if type(values) is not dict:
        return values
    if list(values) != [card.input_name]:
        raise RequestError(
            f"inputs: expected an object with the key {card.input_name!r} alone, received "
            f"{shown(list(values))}."
        )
    return values[card.input_name]


def write_predict(
    answers: dict[str, np.ndarray], outputs: tuple[str, ...], by_row: bool
) -> dict[str, Any]:
    """The answer to a `:predict` request."""
    columns = [answers[name] for name in outputs]
    if len(outputs) == 1:
        only = np.ascontiguousarray(columns[0])
        return {"predictions" if by_row else "outputs": only}
    if not by_row:
        return {"outputs": dict(zip(outputs, map(np.ascontiguousarray, columns), strict=True))}
    return {
        "predictions": [dict(zip(outputs, row, strict=True)) for row in zip(*columns, strict=True)]
    }


def write_status(name: str, model: Model | None, number: str | None) -> dict[str, Any]:
    """The answer to `GET /v1/models/NAME[/versions/N]`.

    Raises:
        NotFoundError: the model, or that version of it, has never been seen.
    """
    states: dict[int, tuple[str, str]] = {}
    if model is not None:
        states |= dict.fromkeys(model.ended, ("END", ""))
        states |= {each: ("END", reason) for each, (_, reason) in model.skipped.items()}
        states |= dict.fromkeys(model.draining, ("UNLOADING", ""))
        states |= dict.fromkeys(model.versions, ("AVAILABLE", ""))
    if number is not None:
        states = {each: state for each, state in states.items() if str(each) == number}
    if not states:
        which = "" if number is None else f" {number[:20]}"
        raise NotFoundError(f"Could not find any versions{which} of model {name[:100]}")
    return {
        "model_version_status": [
            {
                "version": str(each),
                "state": state,
                "status": {
                    "error_code": "DATA_LOSS" if reason else "OK",
                    "error_message": reason,
                },
            }
            for each, (state, reason) in sorted(states.items(), reverse=True)
        ]
    }


def write_metadata(version: Version) -> dict[str, Any]:
    """The answer to `GET .../metadata`."""
    return {
        "model_spec": {
            "name": version.name,
            "signature_name": "",
            "version": str(version.number),
        },
        "metadata": {"signature_def": {"signature_def": version.signatures}},
    }
