"""Programs in every precision, on one backend; `cases_programs.py` runs them."""

from __future__ import annotations

import keras
import numpy as np
import numpy_mlp
from small_programs import MLP, TRANSFORMER, program

from grokkeras.errors import UserError
from grokkeras.losses import SoftmaxCrossentropy

BACKEND = keras.backend.backend()


def trains(dtype, beta_2=0.999, model=MLP):
    made = program(
        model=model,
        train={"dtype": dtype},
        optimizer={"name": "adamw", "learning_rate": 0.02, "weight_decay": 0.1, "beta_2": beta_2},
    )
    losses = made.run(60)
    evaluated = made.evaluate("train", made.recipe.x, made.recipe.y)
    return {
        "first": float(losses[0]),
        "last": float(losses[-1]),
        "dtypes": sorted({str(w.dtype) for w in made.weights()}),
        "evaluated": evaluated["loss"],
    }


def loss_scale():
    """float16 with a scale that overflows: Keras halves it until the gradients are finite."""
    made = program(model=MLP, train={"dtype": "mixed_float16"})
    made.optimizer.dynamic_scale.assign(2.0**30)
    made.from_model()
    losses = made.run(120)
    made.to_model()
    scale = float(keras.ops.convert_to_numpy(made.optimizer.dynamic_scale))
    # With a scale of another power of two the same gradients come out.
    plain = program(model=MLP, train={"dtype": "mixed_float16"}, optimizer={"name": "sgd"})
    start = plain.arrays()
    expected = plain.run(3)
    plain.load_arrays(start)
    plain.to_model()
    plain.optimizer.dynamic_scale.assign(plain.optimizer.dynamic_scale / 8)
    plain.from_model()
    return {
        "first": float(losses[0]),
        "last": float(losses[-1]),
        "scale": scale,
        "expected": expected.astype("float64").tolist(),
        "other_scale": plain.run(3).astype("float64").tolist(),
    }


def denormals():
    """How many of many products below the least normal float are not 0."""
    program(model=MLP)
    if BACKEND != "torch":
        return 0
    import torch

    # Large enough for every thread to get a share.
    return int(torch.count_nonzero(torch.full((4_000_000,), 1e-30) * 1e-10))


def float64_loss_refused():
    """JAX without its 64-bit mode."""
    if BACKEND != "jax":
        SoftmaxCrossentropy(dtype="float64")
        return None
    try:
        SoftmaxCrossentropy(dtype="float64")
    except UserError as error:
        return str(error)
    return "not refused"


def float64_is_float64():
    """Logits of a float64 model beside NumPy's: the relative difference."""
    sections = {"model": {**MLP, "use_bias": False}, "train": {"dtype": "float64"}}
    made = program(**sections)
    weights = [w.astype("float64") for w in made.weights()]
    kernel, head = weights
    nothing = [kernel, np.zeros(kernel.shape[1]), head, np.zeros(head.shape[1])]
    scores = numpy_mlp.logits(nothing, made.recipe.x)
    ours = keras.ops.convert_to_numpy(made.model(made.recipe.x))
    # LayerNorm and attention have no reference here: the backends are compared.
    other = program(
        model={**TRANSFORMER, "layer_norm": "pre", "biases": "all"}, train={"dtype": "float64"}
    )
    logits = keras.ops.convert_to_numpy(other.model(other.recipe.x[:5]))
    return {
        "logits": logits.astype("float64").tolist(),
        "dtype": str(ours.dtype),
        "gap": float(abs(ours - scores).max() / abs(scores).max()),
        "weights": sorted({str(w.dtype) for w in made.weights()}),
    }


def float64_loss():
    """A float64 loss on a float32 model: fewer examples have lost theirs."""
    shares = {}
    for dtype in ("float64", "float32"):
        made = program(model=MLP, loss={"dtype": dtype})
        # The head scaled, and with it the logits.
        for variable in made.model.trainable_variables[2:]:
            variable.assign(variable * 300)
        made.from_model()
        shares[dtype] = made.evaluate("train", made.recipe.x, made.recipe.y)["softmax_collapse"]
        assert np.isfinite(made.run(3)).all()
    return shares
