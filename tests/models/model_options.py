"""The options that the models are tested over: imported by the tests and by their processes."""

from __future__ import annotations

from typing import Any

# Vocabulary, classes and the tokens that may stand at each position, over 7 numbers.
LAYOUTS: dict[str, dict[str, Any]] = {
    "a b =": {"vocab_size": 8, "token_ranges": [(0, 7), (0, 7), (7, 1)]},
    "a op b =": {"vocab_size": 9, "token_ranges": [(0, 7), (7, 1), (0, 7), (8, 1)]},
    "a b": {"vocab_size": 7, "token_ranges": [(0, 7), (0, 7)]},
    "divide": {"vocab_size": 8, "token_ranges": [(0, 7), (1, 6), (7, 1)]},
    "= a b": {"vocab_size": 8, "token_ranges": [(7, 1), (0, 7), (1, 6)]},
    "a": {"vocab_size": 7, "token_ranges": [(0, 7)]},
    "=": {"vocab_size": 8, "token_ranges": [(7, 1)]},
    "anything": {"vocab_size": 7, "token_ranges": [(0, 7)] * 3},
}
CLASSES = 7

TRANSFORMER: dict[str, tuple[Any, ...]] = {
    "layout": tuple(LAYOUTS),
    "num_layers": (1, 2, 3),
    "layer_norm": ("none", "pre", "post"),
    "biases": ("none", "mlp", "all"),
    "causal": (True, False),
    "tied_head": (True, False),
    "residual": (True, False),
    "activation": ("relu", "gelu", "silu", "tanh", "quadratic"),
    "num_heads": (1, 2, 4),
}

# Two tokens a position for the encoding `signed`, and features for `none`, see `mlp_options`.
MLP: dict[str, tuple[Any, ...]] = {
    "layout": ("a b =", "a op b =", "a b", "divide", "a"),
    "encoding": ("one_hot", "embedding", "signed", "none"),
    "num_layers": (0, 1, 2, 3),
    "shared_embedding": (True, False),
    "combine": ("concat", "sum"),
    "residual": (True, False),
    "activation": ("relu", "gelu", "silu", "tanh", "quadratic"),
    "use_bias": (True, False),
    "width": (10, 12),
}


def transformer_options(row: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `Transformer` for a combination."""
    layout = LAYOUTS[row["layout"]]
    rest = {name: value for name, value in row.items() if name != "layout"}
    return {
        **layout,
        "length": len(layout["token_ranges"]),
        "num_classes": CLASSES,
        "width": 8,
        "mlp_width": 12,
        **rest,
    }


def mlp_options(row: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `MLP` for a combination."""
    layout = LAYOUTS[row["layout"]]
    rest = {name: value for name, value in row.items() if name != "layout"}
    options = {
        **layout,
        "length": len(layout["token_ranges"]),
        "num_classes": CLASSES,
        "embedding_width": 10,
        **rest,
    }
    if row["encoding"] == "none":
        options |= {"vocab_size": None, "token_ranges": None}
    elif row["encoding"] == "signed":
        pairs = [(first, min(count, 2)) for first, count in layout["token_ranges"]]
        options |= {"token_ranges": pairs}
    return options


POLICIES = ("float32", "bfloat16", "mixed_bfloat16", "mixed_float16", "float64")
# Which models are saved in which precision.
SAVED_IN = {
    "transformer": POLICIES,
    "tied": ("float32", "float64"),
    "one_hot": ("float32", "mixed_float16"),
    "embedding": ("float32", "bfloat16"),
}
