"""Rebuilds a half-precision model in float32, which every runtime that serves it can compute in.

ONNX Runtime has no bfloat16 kernels on CPUs. Half-precision weights are float32 numbers already, so
the rebuilt model has the same weights, bit for bit; only its arithmetic rounds less.
"""

from __future__ import annotations

from typing import Any

HALF = ("bfloat16", "float16", "mixed_bfloat16", "mixed_float16")


def in_float32(model: Any) -> tuple[Any, str | None]:
    """The model, computing in float32 where it computed in half precision.

    Args:
        model: a built Keras model whose classes are registered with Keras.

    Returns:
        A model with the same weights, or `model` itself if no part of it is in half precision; and
        the name of the policy that was replaced, or None.
    """
    import keras

    found: list[str] = []
    config = _replaced(keras.saving.serialize_keras_object(model), found)
    if not found:
        return model, None
    rebuilt = keras.saving.deserialize_keras_object(config)
    for variable, trained in zip(rebuilt.variables, model.variables, strict=True):
        variable.assign(keras.ops.cast(trained, variable.dtype))
    return rebuilt, found[0]


def _replaced(config: Any, found: list[str], key: str = "") -> Any:
    """A copy of a configuration with float32 for half precision, which is noted in `found`."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            policy = config["config"]
            return {
                **config,
                "config": {**policy, "name": _replaced(policy["name"], found, "dtype")},
            }
        return {name: _replaced(value, found, name) for name, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_replaced(value, found) for value in config)
    if key == "dtype" and config in HALF:
        found.append(config)
        return "float32"
    return config
