"""What a model can be told: one class a model, chosen by `model.name`."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from grokkeras.config.base import Count, Positive, Section

Activation = Literal["relu", "gelu", "silu", "tanh", "quadratic"]
Layers = Annotated[int, Ge(1), Le(1000)]
Width = Annotated[int, Ge(1), Le(1_000_000)]


Init = Literal["normal", "orthogonal", "small", "sparse", "uniform"]

INITS = {
    "normal": "Normal, of standard deviation 1/sqrt(fan_in).",
    "orthogonal": "Orthonormal columns, or rows where there are fewer (Saxe et al. 2014).",
    "small": "Normal, of standard deviation fan_in**-0.8 (Zhang et al. 2024).",
    "sparse": "Normal, on a few connections a unit only (Martens 2010).",
    "uniform": "Uniform within 1/sqrt(fan_in) of 0, as PyTorch's linear layers start.",
}


class InitialWeights(Section):
    """How large the initial weights are; they are drawn by NumPy, equal on every backend.

    Attributes:
        init: how matrices are drawn; embeddings are always normal. See `INITS`. Default normal.
        init_scale: factor on all weights (Liu et al. 2022, "Omnigrok"). Default 1.
        init_stddev: standard deviation of every matrix before the factor; null: 1/sqrt(fan_in),
            and 1 for an MLP's embeddings. For `init: normal` only.
        init_connections: nonzero weights into each unit, for `init: sparse`; null: 15.
    """

    init: Init = "normal"
    init_scale: Positive = 1.0
    init_stddev: Positive | None = None
    init_connections: Count | None = None


class Transformer(InitialWeights):
    """A decoder-only transformer that answers at the last position.

    Reference: Power et al. 2022 (arXiv 2201.02177); without LayerNorm as in Nanda et al. 2023,
    "Progress measures for grokking via mechanistic interpretability" (arXiv 2301.05217).

    Attributes:
        num_layers: blocks of attention and MLP.
        width: size of the residual stream; `num_heads` must divide it.
        mlp_width: hidden units of each block's MLP.
        layer_norm: `none`, before each sublayer (`pre`) or after it (`post`).
        biases: everywhere, in the MLPs only, or nowhere.
        causal: a position sees only itself and those before it.
        tied_head: the embedding table gives the logits too.
        residual: add each sublayer's input to its output.
    """

    name: Literal["transformer"]
    num_layers: Layers = 1
    width: Width = 128
    num_heads: Width = 4
    mlp_width: Width = 512
    activation: Activation = "relu"
    layer_norm: Literal["none", "pre", "post"] = "none"
    biases: Literal["all", "mlp", "none"] = "mlp"
    causal: bool = True
    tied_head: bool = False
    residual: bool = True


class MLP(InitialWeights):
    """Fully connected layers on one-hot, embedded or measured inputs.

    Reference: Gromov 2023, "Grokking modular arithmetic" (arXiv 2301.02679), with
    `activation: quadratic`.

    Attributes:
        num_layers: hidden layers; 0 leaves the linear head alone.
        width: units of each.
        encoding: tokens as `one_hot`, `embedding` or, for bits, `signed` (-1 and 1); `none` for
            measured features.
        embedding_width: size of one token's embedding.
        shared_embedding: one table for all positions, or one for each.
        combine: the embeddings side by side (`concat`), or added (`sum`) and put through the
            activation.
        residual: add a layer's input to its output where the sizes agree.
        use_bias: biases in the hidden layers and the head.
    """

    name: Literal["mlp"]
    num_layers: Annotated[int, Ge(0), Le(1000)] = 1
    width: Width = 256
    encoding: Literal["one_hot", "embedding", "signed", "none"] = "one_hot"
    embedding_width: Width = 128
    shared_embedding: bool = True
    combine: Literal["concat", "sum"] = "concat"
    residual: bool = False
    activation: Activation = "relu"
    use_bias: bool = True


ModelOptions = Annotated[Transformer | MLP, Field(discriminator="name")]
