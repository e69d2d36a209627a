"""The first 20 losses of small fixed configurations, on one backend."""

from __future__ import annotations

from small_programs import MLP, TRANSFORMER, program

CURVES = {
    "transformer": {
        "model": {**TRANSFORMER, "num_layers": 2, "layer_norm": "pre", "biases": "all"},
        "optimizer": {"name": "adamw", "learning_rate": 0.003, "beta_2": 0.98},
    },
    "minibatch": {
        "model": {**TRANSFORMER, "activation": "gelu"},
        "optimizer": {"name": "adamw", "learning_rate": 0.01, "beta_2": 0.98},
        "train": {"batch_size": 25},
    },
    "dropout": {
        "model": {**MLP, "encoding": "embedding", "embedding_width": 16},
        "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "loss": {"name": "mse"},
        "dropout": {"rate": 0.1},
    },
}


def main():
    return {
        name: lambda sections=sections: program(**sections).run(20).astype("float64").tolist()
        for name, sections in CURVES.items()
    }
