"""The baselines beside one another at a small size: runs in a process a backend."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import replace

import keras
import numpy as np

from benchmarks import data, keras_fit
from benchmarks.plain_mlp import plain_mlp
from benchmarks.plain_transformer import plain_transformer
from grokkeras import models

STEPS = 4
FULL = replace(
    data.WORKLOADS["W1"], modulus=11, width=16, num_heads=2, mlp_width=24, train_fraction=0.5
)
BATCHES = replace(FULL, batch_size=16)
MLP = replace(data.WORKLOADS["W3"], modulus=11, width=12, batch_size=16)


def main():
    loop = importlib.import_module(f"benchmarks.{keras.backend.backend()}_loop")
    workloads = {"full": FULL, "batches": BATCHES, "mlp": MLP}
    cases = {
        f"{name} {form}": lambda workload=workload, form=form: losses(loop, workload, form)
        for name, workload in workloads.items()
        for form in ("plain", "reduced")
    }
    # With all examples in one batch the epochs of `fit` are steps, and their order is nobody's.
    cases["full fit"] = lambda: losses(keras_fit, FULL, "fit")
    cases["mlp full fit"] = lambda: losses(keras_fit, replace(MLP, batch_size=None), "fit")
    cases["mlp full plain"] = lambda: losses(loop, replace(MLP, batch_size=None), "plain")
    cases["continued"] = lambda: continued(loop)
    cases["fit counts"] = lambda: len(keras_fit.make_run(BATCHES, "fit")(4))
    cases["ours transformer"] = transformers
    cases["ours mlp"] = mlps
    return cases


def losses(module, workload, form):
    return module.make_run(workload, form)(STEPS).tolist()


def continued(loop):
    """Two calls go on where one would."""
    run = loop.make_run(BATCHES, "reduced")
    return [*run(STEPS // 2), *run(STEPS // 2)] == losses(loop, BATCHES, "reduced")


def transformers():
    """Largest difference between our logits and the plain model's with our weights."""
    worst = 0.0
    for layer_norm, biases, tied, residual in itertools.product(
        ("none", "pre", "post"), ("all", "mlp"), (False, True), (True, False)
    ):
        options = {
            "vocab_size": 8,
            "length": 3,
            "num_classes": 7,
            "num_layers": 2,
            "width": 8,
            "num_heads": 2,
            "mlp_width": 12,
            "layer_norm": layer_norm,
            "biases": biases,
            "tied_head": tied,
            "residual": residual,
            "causal": residual,
            "activation": "gelu" if tied else "quadratic",
        }
        ours = models.Transformer(token_ranges=[(0, 7), (0, 7), (7, 1)], **options)
        tokens = np.stack([*np.divmod(np.arange(49), 7), np.full(49, 7)], axis=1).astype("int32")
        worst = max(worst, difference(ours, plain_transformer(**options), tokens))
    return worst


def mlps():
    ours = models.MLP(
        length=2,
        num_classes=7,
        vocab_size=7,
        num_layers=0,
        encoding="embedding",
        embedding_width=12,
        shared_embedding=False,
        combine="sum",
        activation="quadratic",
        use_bias=False,
    )
    tokens = np.stack(np.divmod(np.arange(49), 7), axis=1).astype("int32")
    return difference(ours, plain_mlp(7, 12), tokens)


def difference(ours, plain, tokens):
    rng = np.random.default_rng(0)
    # Biases start at zero and norms at one: moved, so that a swapped pair shows.
    weights = [w + 0.1 * rng.standard_normal(w.shape).astype("float32") for w in ours.get_weights()]
    ours.set_weights(weights)
    plain.set_weights(weights)
    a, b = (keras.ops.convert_to_numpy(model(tokens)) for model in (ours, plain))
    return float(abs(a - b).max() / abs(b).max())
