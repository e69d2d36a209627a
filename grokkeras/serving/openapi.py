"""What the OpenAPI document says of bodies and answers.

The handlers read the bodies themselves, for speed and for messages that name the field, so the
document is told here what they accept.
"""

from __future__ import annotations

from typing import Any

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}
_ROW = {"type": "array", "items": {"type": "number"}}
_ROWS = {"type": "array", "items": _ROW, "minItems": 1}
_PARAMETERS = {"type": "object"}

PREDICT = {
    "type": "object",
    "properties": {
        "signature_name": {"type": "string", "enum": ["serving_default", "class"]},
        "instances": _ROWS,
        "inputs": {"anyOf": [_ROWS, {"type": "object", "additionalProperties": _ROWS}]},
    },
    "additionalProperties": False,
}
PREDICTIONS = {
    "type": "object",
    "properties": {"predictions": {"type": "array"}, "outputs": {"type": ["array", "object"]}},
}
INFER = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "parameters": _PARAMETERS,
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype"],
                "properties": {
                    "name": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    "datatype": {"type": "string", "enum": ["INT32", "FP32"]},
                    "parameters": _PARAMETERS,
                    "data": {"type": "array"},
                },
            },
        },
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "enum": ["logits", "class", "probability"]},
                    "parameters": _PARAMETERS,
                },
            },
        },
    },
}
INFERRED = {
    "type": "object",
    "required": ["model_name", "model_version", "outputs"],
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "outputs": {"type": "array", "items": {"type": "object"}},
    },
}
SOLVE = {"type": "object", "example": {"a": 12, "b": 95}}
SOLVED = {
    "type": "object",
    "required": ["answer", "probability"],
    "properties": {
        "answer": {},
        "probability": {"type": "number", "minimum": 0, "maximum": 1.00001},
    },
}


def body(schema: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route that takes a body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answers(schema: dict[str, Any] | None, *errors: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: what 200 holds, and which errors may come."""
    good: dict[str, Any] = {"description": "Done."}
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
    refused = {
        "description": "Refused; `error` says why.",
        "content": {"application/json": {"schema": ERROR}},
    }
    return {200: good, **dict.fromkeys(errors, refused)}
