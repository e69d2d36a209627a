"""What goes on inside a model as it answers: where its attention looks, what its neurons do.

For pictures, outside of training. It is computed with the model's own layers, on whole sequences,
so the numbers are those of the model's answer.
"""

from __future__ import annotations

from typing import Any

from grokkeras.models.mlp import MLP
from grokkeras.models.transformer import Transformer


def look_inside(model: Any, inputs: Any) -> dict[str, dict[str, Any]]:
    """What a model computes on the way to its answers, in inference mode.

    Args:
        model: a `Transformer` or an `MLP`.
        inputs: as the model takes them, (batch, length).

    Returns:
        Tensors of the backend, at the position where the answer is read: `attention` by block,
        (batch, heads, length), the share that each position gets; `neurons` by block or hidden
        layer, (batch, channels) after the activation; `answers` under `logits`, (batch, classes).
    """
    return _transformer(model, inputs) if isinstance(model, Transformer) else _mlp(model, inputs)


def _mlp(model: MLP, inputs: Any) -> dict[str, dict[str, Any]]:
    hidden: list[Any] = []
    logits = model.call_embedded(model.embed(inputs), hidden=hidden)
    names = (layer.name for layer in model.hidden)
    neurons = dict(zip(names, hidden, strict=True))
    return {"attention": {}, "neurons": neurons, "answers": {"logits": logits}}


def _transformer(model: Transformer, tokens: Any) -> dict[str, dict[str, Any]]:
    attention, neurons = {}, {}
    x = model.embed(tokens)
    for block in model.blocks:
        shares, hidden, x = block.look(x, last_only=block is model.blocks[-1])
        attention[block.name], neurons[block.name] = shares, hidden
    logits = model.answer(x)
    return {"attention": attention, "neurons": neurons, "answers": {"logits": logits}}
