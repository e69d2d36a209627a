"""The Open Inference Protocol, version 2: requests to rows, answers to JSON.

With the extension for binary tensors, which `tritonclient` uses by default: after the JSON, whose
length the header `Inference-Header-Content-Length` tells, the tensors follow as raw bytes.

Reference: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from grokkeras.serving.body import parse_object
from grokkeras.serving.card import DTYPES, OUTPUT_TYPES, OUTPUTS, Card
from grokkeras.serving.errors import RequestError, shown
from grokkeras.serving.rows import checked_rows
from grokkeras.serving.version import Version

HEADER = b"inference-header-content-length"


@dataclass(frozen=True)
class InferRequest:
    """A request, read.

    Attributes:
        id: to be echoed, or None.
        rows: (n, length), checked.
        outputs: those wanted, in the order asked for.
        binary: those of them that are to be sent as raw bytes.
    """

    id: str | None
    rows: np.ndarray
    outputs: tuple[str, ...]
    binary: frozenset[str]


def read_infer(body: bytes, header: bytes | None, card: Card, max_rows: int) -> InferRequest:
    """An `/infer` request.

    Args:
        body: all of it.
        header: the value of `HEADER`, if there is one.
        card: what the model takes.
        max_rows: more are refused.

    Raises:
        RequestError: something in it is wrong; names the field.
    """
    split = len(body)
    if header is not None:
        if not header.isdigit() or len(header) > 18 or int(header) > len(body):
            raise RequestError(
                f"Inference-Header-Content-Length: expected the length of the JSON, at most "
                f"{len(body)}, received {shown(header.decode('latin-1'))}."
            )
        split = int(header)
    request = parse_object(body[:split])
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RequestError(f"id: expected a string, received {shown(identity)}.")
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise RequestError(
            f"inputs: expected a list of one tensor, {card.input_name!r}, received {shown(inputs)}."
        )
    outputs, binary = _outputs(request)
    return InferRequest(identity, _rows(inputs[0], body[split:], card, max_rows), outputs, binary)


def _rows(tensor: dict[str, Any], raw: bytes, card: Card, max_rows: int) -> np.ndarray:
    for key, expected in (("name", card.input_name), ("datatype", card.datatype)):
        if tensor.get(key) != expected:
            raise RequestError(
                f"inputs[0].{key}: expected {expected!r}, received {shown(tensor.get(key))}."
            )
    shape: Any = tensor.get("shape")
    if not _is_shape(shape) or len(shape) != 2 or shape[1] != card.length:
        raise RequestError(
            f"inputs[0].shape: expected [rows, {card.length}], received {shown(shape)}."
        )
    if shape[0] > max_rows:
        raise RequestError(
            f"inputs[0].shape: received {shape[0]:,} rows, at most {max_rows:,} are taken at a "
            f"time. Send them in several requests."
        )
    size = _parameters(tensor, "inputs[0]").get("binary_data_size")
    if size is not None:
        return checked_rows(_binary(raw, size, shape, card), card, "inputs[0].data", max_rows)
    data = tensor.get("data")
    if not isinstance(data, list):
        raise RequestError(f"inputs[0].data: expected a list, received {shown(data)}.")
    if data and not isinstance(data[0], list):  # flat, as the protocol prefers it
        count = shape[0] * shape[1]
        if len(data) != count:
            raise RequestError(
                f"inputs[0].data: expected {count:,} numbers for shape {shape}, received "
                f"{len(data):,}."
            )
        width = shape[1]
        data = [data[start : start + width] for start in range(0, count, width)]
    if len(data) != shape[0]:
        raise RequestError(
            f"inputs[0].data: expected {shape[0]:,} rows for shape {shape}, received {len(data):,}."
        )
    return checked_rows(data, card, "inputs[0].data", max_rows)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)


def _binary(raw: bytes, size: Any, shape: list[int], card: Card) -> np.ndarray:
    expected = shape[0] * shape[1] * card.dtype.itemsize
    if type(size) is not int or size != expected or len(raw) != expected:
        raise RequestError(
            f"inputs[0].parameters.binary_data_size: expected {expected}, as many bytes after the "
            f"JSON; received {shown(size)} and {len(raw)} bytes."
        )
    return np.frombuffer(raw, dtype=DTYPES[card.datatype].newbyteorder("<")).reshape(shape)


def _parameters(holder: dict[str, Any], field: str) -> dict[str, Any]:
    parameters = holder.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestError(f"{field}.parameters: expected an object, received {shown(parameters)}.")
    return parameters


def _outputs(request: dict[str, Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    everywhere = _parameters(request, "request").get("binary_data_output", False)
    wanted = request.get("outputs")
    if wanted is None or wanted == []:
        return OUTPUTS, frozenset(OUTPUTS if everywhere is True else ())
    if not isinstance(wanted, list):
        raise RequestError(f"outputs: expected a list, received {shown(wanted)}.")
    names: list[str] = []
    binary = set()
    for place, output in enumerate(wanted):
        field = f"outputs[{place}]"
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in OUTPUTS or name in names:
            raise RequestError(
                f"{field}.name: expected one of {', '.join(OUTPUTS)}, each once, received "
                f"{shown(name if isinstance(output, dict) else output)}."
            )
        names.append(name)
        if _parameters(output, field).get("binary_data", everywhere) is True:
            binary.add(name)
    return tuple(names), frozenset(binary)


def write_infer(
    request: InferRequest, version: Version, answers: dict[str, np.ndarray]
) -> tuple[bytes, int | None]:
    """The answer to an `/infer` request.

    Returns:
        The body, and the length of its JSON where raw bytes follow, else None.
    """
    outputs = []
    raw = []
    for name in request.outputs:
        values = np.ascontiguousarray(answers[name])
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": OUTPUT_TYPES[name],
            "shape": list(values.shape),
        }
        if name in request.binary:
            data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
            tensor["parameters"] = {"binary_data_size": len(data)}
            raw.append(data)
        else:
            tensor["data"] = values.ravel()
        outputs.append(tensor)
    answer: dict[str, Any] = {
        "model_name": version.name,
        "model_version": str(version.number),
        "outputs": outputs,
    }
    if request.id is not None:
        answer["id"] = request.id
    head = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join([head, *raw]), len(head)) if raw else (head, None)


def write_model(version: Version, numbers: list[int]) -> dict[str, Any]:
    """The answer to `GET /v2/models/NAME[/versions/N]`."""
    card = version.card
    shapes = {"logits": [-1, card.num_classes], "class": [-1], "probability": [-1]}
    return {
        "name": version.name,
        "versions": [str(number) for number in numbers],
        "platform": version.engine.platform,
        "inputs": [
            {"name": card.input_name, "datatype": card.datatype, "shape": [-1, card.length]}
        ],
        "outputs": [
            {"name": name, "datatype": OUTPUT_TYPES[name], "shape": shapes[name]}
            for name in OUTPUTS
        ],
    }
