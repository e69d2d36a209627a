"""Our models beside the plain computation, in float64: runs in a process a backend."""

from __future__ import annotations

import os

os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from covering import covering, sample
from model_options import MLP as MLP_OPTIONS
from model_options import TRANSFORMER, mlp_options, transformer_options
from reference import mean_loss, plain_mlp, plain_transformer, value_and_gradients

import benchmarks.plain_mlp
import benchmarks.plain_transformer
from grokkeras.keras_compat.float64 import keep_float64
from grokkeras.models import MLP, Transformer
from grokkeras.models.precision import dtype_policy

# The plain models too, so that a difference is a difference of the arithmetic and not of rounding.
keep_float64("float64")


def main(kind):
    """`kind`: `covering`, `all` of it, or `sample`; on JAX, which compiles each case, fewer."""
    compiles = keras.backend.backend() == "jax"
    if kind == "sample":
        count = 50 if compiles else 250
        rows, mlp_rows = sample(TRANSFORMER, count, seed=1), sample(MLP_OPTIONS, count, seed=2)
    else:
        every = 4 if kind == "covering" and compiles else 1
        rows, mlp_rows = covering(TRANSFORMER)[::every], covering(MLP_OPTIONS)[::every]
    cases = {}

    def add(name, *arguments):
        cases[name] = lambda: compare(*arguments)

    for row in rows:
        add(f"transformer {row}", Transformer, plain_transformer, transformer_options(row))
    for row in mlp_rows:
        add(f"mlp {row}", MLP, plain_mlp, mlp_options(row))
    if kind != "sample":
        for row in rows[: 4 // every]:
            options = transformer_options(row)
            add(f"float32 transformer {row}", Transformer, plain_transformer, options, "float32")
        for row in mlp_rows[: 4 // every]:
            add(f"float32 mlp {row}", MLP, plain_mlp, mlp_options(row), "float32")
        for row in rows[4 : 4 + 4 // every]:
            add(
                f"bench transformer {row}", Transformer, bench_transformer, transformer_options(row)
            )
        add("bench mlp", MLP, bench_mlp, BENCH_MLP)
    return cases


# The network that `benchmarks/plain_mlp.py` spells out, as options of ours.
BENCH_MLP = {
    "vocab_size": 8,
    "token_ranges": [(0, 7), (0, 7), (7, 1)],
    "length": 3,
    "num_classes": 7,
    "num_layers": 0,
    "encoding": "embedding",
    "embedding_width": 10,
    "shared_embedding": False,
    "combine": "sum",
    "activation": "quadratic",
    "use_bias": False,
}


def bench_transformer(weights, tokens, options):
    """The Keras model of `benchmarks/`, given our weights in our order."""
    rest = {name: value for name, value in options.items() if name != "token_ranges"}
    with dtype_policy("float64"):
        model = benchmarks.plain_transformer.plain_transformer(**rest)
    return model.stateless_call(weights, [], tokens)[0]


def bench_mlp(weights, tokens, options):
    with dtype_policy("float64"):
        model = benchmarks.plain_mlp.plain_mlp(7, options["embedding_width"])
    return model.stateless_call(weights, [], tokens[:, :2])[0]


def compare(kind, plain, options, dtype="float64"):
    """Largest differences of logits and of gradients, relative to the largest entries.

    `rounding` is how far the plain gradients move when each weight changes in its last bit.
    """
    with dtype_policy(dtype):
        model = kind(**options, seed=3)
    rng = np.random.default_rng(4)
    # Biases start at zero and norms at one: moved, so that a swapped pair shows.
    weights = [
        (w + 0.2 * rng.standard_normal(w.shape)).astype(dtype)
        for w in map(keras.ops.convert_to_numpy, model.trainable_variables)
    ]
    inputs, labels = examples(options, dtype, rng)
    states = [variable.value for variable in model.non_trainable_variables]

    def ours(values):
        logits, _ = model.stateless_call(values, states, inputs)
        return mean_loss(logits, labels), logits

    def reference(values):
        logits = plain(values, inputs, options)
        return mean_loss(logits, labels), logits

    logits, gradients = value_and_gradients(ours, weights)
    plain_logits, plain_gradients = value_and_gradients(reference, weights)
    for variable, weight in zip(model.trainable_variables, weights, strict=True):
        variable.assign(weight)
    # JAX compiles each operation anew for a call outside `jit`, and has just run the same code.
    eager = keras.backend.backend() != "jax"
    called = keras.ops.convert_to_numpy(model(inputs)) if eager else logits
    shapes = [logits.shape == called.shape == plain_logits.shape == (len(inputs), 7)]
    shapes += [g.shape == w.shape for g, w in zip(gradients, weights, strict=True)]
    scale = max(float(abs(g).max()) for g in plain_gradients)
    moved = sum(float(abs(g).max()) > 1e-6 * scale for g in plain_gradients)

    def apart(some):
        least = (1e-3 if dtype == "float64" else 0.1) * scale
        return max(
            float(abs(g - p).max() / (abs(p).max() + least))
            for g, p in zip(some, plain_gradients, strict=True)
        )

    found = apart(gradients)
    rounding = 0.0
    if dtype == "float64" and found > 1e-12:
        # Where attention is all but decided, the plain computation too goes by its last bits.
        nudged = [w * (1 + 2**-53 * rng.choice([-2, 0, 2], w.shape)) for w in weights]
        rounding = apart(value_and_gradients(reference, nudged)[1])
    return {
        "dtypes": sorted({str(array.dtype) for array in [logits, called, *gradients]}),
        "shapes": all(shapes),
        "finite": bool(np.isfinite(plain_logits).all()) and scale > 0,
        "logits": float(abs(logits - plain_logits).max() / abs(plain_logits).max()),
        "called": float(abs(called - plain_logits).max() / abs(plain_logits).max()),
        "gradients": found,
        "rounding": rounding,
        "weights": len(weights),
        "weights_that_matter": moved,
    }


def examples(options, dtype, rng, count=11):
    """Random rows, the first twice: a token that occurs again adds to the same gradient."""
    if options["token_ranges"] is None:
        inputs = rng.standard_normal((count, options["length"])).astype(dtype)
    else:
        inputs = np.stack(
            [rng.integers(first, first + size, count) for first, size in options["token_ranges"]],
            axis=1,
        ).astype("int32")
    inputs[1] = inputs[0]
    return inputs, rng.integers(0, 7, count).astype("int32")
