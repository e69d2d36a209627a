"""Saved models, on one backend; `cases_model.py` runs them."""

from __future__ import annotations

import keras
import numpy as np
from calling import logits_of
from keras import ops
from model_options import POLICIES, SAVED_IN
from small_models import BACKEND, LAYOUT, SIZES, TOKENS

from grokkeras.models import MLP, Transformer
from grokkeras.models.precision import dtype_policy

SAVED = {
    "transformer": lambda: Transformer(
        **LAYOUT, **SIZES, num_layers=2, layer_norm="pre", biases="all", dropout=0.2
    ),
    "tied": lambda: Transformer(**LAYOUT, **SIZES, tied_head=True, layer_norm="post"),
    "one_hot": lambda: MLP(**LAYOUT, width=16, dropout=0.2),
    "embedding": lambda: MLP(
        **LAYOUT,
        encoding="embedding",
        embedding_width=8,
        activation="quadratic",
        combine="sum",
        shared_embedding=False,
    ),
}


def save(folder):
    """Saves models in every precision, and returns their logits."""
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    logits = {}
    for policy in POLICIES:
        for name, make in SAVED.items():
            if policy not in SAVED_IN[name]:
                continue
            with dtype_policy(policy):
                model = make()
            rng = np.random.default_rng(1)
            for variable in model.trainable_variables:
                moved = ops.convert_to_numpy(ops.cast(variable, "float64"))
                variable.assign(moved + 0.1 * rng.standard_normal(moved.shape))
            path = folder / f"{BACKEND}-{policy}-{name}.keras"
            model.save(path)
            logits[path.stem] = {
                "logits": logits_of(model, TOKENS[:5], dtype="float64").tolist(),
                "dtypes": [str(keras.backend.standardize_dtype(v.dtype)) for v in model.weights],
                "compute": model.compute_dtype,
            }
    return logits
