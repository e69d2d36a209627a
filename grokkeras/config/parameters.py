"""How many parameters a model will have, from its options alone.

A test holds these counts to those of the models that `grokkeras.models` builds.
"""

from __future__ import annotations

from grokkeras.config.model_options import MLP, Transformer
from grokkeras.config.shape import TaskShape


def count_parameters(model: Transformer | MLP, shape: TaskShape) -> int:
    """The number of trainable weights.

    Args:
        model: the model's options.
        shape: the data's sizes; they must fit the model.

    Returns:
        Weights, biases and normalisation parameters together.
    """
    if isinstance(model, Transformer):
        return _transformer(model, shape)
    return _mlp(model, shape)


def mlp_inputs(model: MLP, shape: TaskShape) -> int:
    """Numbers that enter an MLP's first layer: features, one-hot columns or embeddings."""
    if model.encoding == "none":
        return shape.length
    counts = spoken_counts(shape)
    if model.encoding == "one_hot":
        return sum(counts)
    if model.encoding == "signed":
        return len(counts)
    return model.embedding_width * (len(counts) if model.combine == "concat" else 1)


def spoken_counts(shape: TaskShape) -> list[int]:
    """Tokens at each position that can hold more than one; an MLP skips the others."""
    return [count for _, count in shape.token_ranges or () if count > 1]


def _transformer(model: Transformer, shape: TaskShape) -> int:
    width, hidden = model.width, model.mlp_width
    everywhere = int(model.biases == "all")
    in_mlp = int(model.biases != "none")
    norm = width * (1 + everywhere)
    attention = 4 * (width * width + everywhere * width)
    mlp = 2 * width * hidden + in_mlp * (hidden + width)
    block = attention + mlp + (2 * norm if model.layer_norm != "none" else 0)
    total = ((shape.vocab_size or 0) + shape.length) * width + model.num_layers * block
    if model.layer_norm == "pre":
        total += norm
    if not model.tied_head:
        total += (width + everywhere) * shape.num_classes
    return total


def _mlp(model: MLP, shape: TaskShape) -> int:
    total = 0
    if model.encoding == "embedding":
        rows = shape.vocab_size or 0 if model.shared_embedding else sum(spoken_counts(shape))
        total += rows * model.embedding_width
    inputs, bias = mlp_inputs(model, shape), int(model.use_bias)
    for _ in range(model.num_layers):
        total += (inputs + bias) * model.width
        inputs = model.width
    return total + (inputs + bias) * shape.num_classes
