"""Programs on one backend: runs in a process a backend."""

from __future__ import annotations

import keras
import numpy as np
import numpy_mlp
from precision_cases import (
    denormals,
    float64_is_float64,
    float64_loss,
    float64_loss_refused,
    loss_scale,
    trains,
)
from small_programs import MLP, TRANSFORMER, equal, in_chunks, program

import grokkeras.training.program as programs

BACKEND = keras.backend.backend()

DROPOUT = {"dropout": {"rate": 0.2}}

EMBEDDED = {
    "name": "mlp",
    "encoding": "embedding",
    "embedding_width": 8,
    "width": 8,
    "num_layers": 0,
    "combine": "sum",
    "shared_embedding": False,
    "activation": "quadratic",
    "use_bias": False,
}


def main():
    return {
        "float64_loss_refused": float64_loss_refused,
        "chunks full": lambda: chunks(),
        "chunks dropout": lambda: chunks(**DROPOUT),
        "chunks minibatch": lambda: chunks(model=MLP, train={"batch_size": 16}),
        "fresh": fresh,
        "no_steps": no_steps,
        "prepared full": lambda: prepared(),
        "prepared dropout": lambda: prepared(train={"batch_size": 16}, **DROPOUT),
        "dropout": dropout,
        "state": state,
        "duplicates": duplicates,
        "gradient_norm": gradient_norm,
        "evaluate": evaluate,
        "trains bfloat16, beta_2 0.98": lambda: trains("bfloat16", 0.98),
        "trains mixed_bfloat16": lambda: trains("mixed_bfloat16", model=TRANSFORMER),
        "trains mixed_float16": lambda: trains("mixed_float16"),
        "loss_scale": loss_scale,
        "denormals": denormals,
        # Last, since float64 turns on JAX's 64-bit mode for the rest of the process.
        "trains float64": lambda: trains("float64"),
        "float64_is_float64": float64_is_float64,
        "float64_loss": float64_loss,
    }


def chunks(**sections):
    """12 steps in one call, in others, and in calls that are cut by `max_chunk`."""
    made = program(**sections)
    start = made.arrays()
    whole, end = in_chunks(made, start, [12])
    same = {}
    for lengths in ([1] * 12, [5, 7], [11, 1], [0, 12]):
        losses, arrays = in_chunks(made, start, lengths)
        same[str(lengths)] = losses.tobytes() == whole.tobytes() and equal(arrays, end)
    # JAX and TensorFlow have the longest chunk in what they compiled, but may be given less.
    made.max_chunk, longest = 5, made.max_chunk
    if BACKEND == "torch":
        losses, arrays = in_chunks(made, start, [12])
        same["max_chunk"] = losses.tobytes() == whole.tobytes() and equal(arrays, end)
    made.max_chunk = longest
    return {
        "same": same,
        "dtype": str(whole.dtype),
        "shape": list(whole.shape),
        "step": made.step,
        "moved": not equal(end, start),
        "losses": whole.astype("float64").tolist(),
    }


def fresh():
    """A new program of the same configuration, and one that takes over half way, with dropout."""
    sections = {"model": MLP, "train": {"batch_size": 16}, **DROPOUT}
    one = program(**sections)
    start = one.arrays()
    first = one.run(7)
    middle = one.arrays()
    rest = one.run(9)
    end = one.arrays()

    other = program(**sections)
    other.run(4)
    differs = not equal(other.arrays(), middle)
    other.load_arrays(middle)
    other.step = 7
    taken = equal(other.arrays(), middle)
    again = other.run(9)

    two = program(**sections)
    repeated = two.run(16)
    return {
        "differs": differs,
        "taken": taken,
        "resumed": again.tobytes() == rest.tobytes() and equal(other.arrays(), end),
        "repeated": repeated.tobytes() == first.tobytes() + rest.tobytes()
        and equal(two.arrays(), end),
        "groups": sorted({name.split("/")[0] for name in end}),
        "seeds_moved": any((start[n] != end[n]).any() for n in end if n.startswith("state/")),
    }


def no_steps():
    made = program()
    before = made.arrays()
    losses = made.run(0)
    return {
        "shape": list(losses.shape),
        "dtype": str(losses.dtype),
        "step": made.step,
        "same": equal(before, made.arrays()),
    }


def prepared(**sections):
    """Compiling beforehand changes nothing, and nothing is compiled again."""
    made, other = program(**sections), program(**sections)
    before = made.arrays()
    splits = {
        "train": (made.recipe.x, made.recipe.y),
        "val": (made.recipe.x[:9], made.recipe.y[:9]),
    }
    made.prepare(splits)
    same = equal(before, made.arrays())
    losses = [made.run(3), made.run(2)]
    made.evaluate("val", *splits["val"])
    return {
        "same": same,
        "step": made.step,
        "losses": np.concatenate(losses).tolist(),
        "without": np.concatenate([other.run(3), other.run(2)]).tolist(),
        "compiled": _compiled(made._many) + _compiled(made._sums) if BACKEND != "torch" else 3,
    }


def _compiled(function):
    if BACKEND == "jax":
        return function._cache_size()
    return function.experimental_get_tracing_count()


def dropout():
    """Losses with weights that hardly move, so that only the masks change them."""
    tiny = {"name": "sgd", "learning_rate": 1e-30}
    made = program(model=MLP, optimizer=tiny, **DROPOUT)
    losses = made.run(6)
    evaluated = [made.evaluate("train", made.recipe.x, made.recipe.y)["loss"] for _ in range(2)]
    without = program(model=MLP, optimizer=tiny)
    return {
        "losses": losses.astype("float64").tolist(),
        "evaluated": evaluated,
        "without": float(without.run(1)[0]),
    }


def state():
    """What the Keras model sees, and what it can change."""
    made = program(model=MLP)
    made.run(3)
    made.to_model()
    model_equal = all(
        (keras.ops.convert_to_numpy(v) == w).all()
        for v, w in zip(made.model.trainable_variables, made.weights(), strict=True)
    )
    iterations = int(made.optimizer.iterations)
    loss = made.evaluate("train", made.recipe.x, made.recipe.y)["loss"]
    for variable in made.model.trainable_variables:
        variable.assign(variable * 0)
    made.from_model()
    zeroed = made.evaluate("train", made.recipe.x, made.recipe.y)["loss"]
    weights = [float(abs(w).max()) for w in made.weights()]
    only = made.arrays(("weights",))
    copied = made.arrays()
    kept = {name: array.copy() for name, array in copied.items()}
    made.run(2)
    return {
        "model_equal": model_equal,
        "iterations": iterations,
        "loss": loss,
        "zeroed": zeroed,
        "weights": weights,
        "only": sorted({name.split("/")[0] for name in only}),
        "copies": equal(copied, kept),
    }


def duplicates():
    """Three steps with embeddings looked up several times a batch: weights, between backends."""
    made = program(model=EMBEDDED)
    made.run(3)
    return [w.astype("float64").tolist() for w in made.weights()]


def gradient_norm():
    """Ours and NumPy's: by hand for one-hots; by differences for embeddings."""
    found = {}
    for name, sections in {
        "full": {"model": MLP},
        "minibatch": {"model": MLP, "train": {"batch_size": 20}},
    }.items():
        made = program(**sections)
        rows = made.recipe.batch_size or len(made.recipe.x)
        x, y = made.recipe.x[:rows], made.recipe.y[:rows]
        by_hand = numpy_mlp.gradients([w.astype("float64") for w in made.weights()], x, y)
        norm = np.sqrt(sum((g**2).sum() for g in by_hand))
        found[name] = [made.gradient_norm(), float(norm)]
    made = program(model=EMBEDDED)
    found["embedded"] = [made.gradient_norm(), norm_by_differences(made)]
    made = program(model=MLP, **DROPOUT)
    before = made.arrays()
    made.gradient_norm()
    found["looked at"] = equal(made.arrays(), before)
    return found


def norm_by_differences(made):
    """The gradient's norm of `EMBEDDED` by central differences in float64."""
    x, y = made.recipe.x, made.recipe.y
    weights = [w.astype("float64") for w in made.weights()]

    def loss():
        a, b, head = weights
        scores = (a[x[:, 0]] + b[x[:, 1]]) ** 2 @ head
        return numpy_mlp.losses(scores, y).mean()

    total = 0.0
    for weight in weights:
        for place in np.ndindex(weight.shape):
            value = weight[place]
            weight[place] = value + 1e-5
            above = loss()
            weight[place] = value - 1e-5
            total += ((above - loss()) / 2e-5) ** 2
            weight[place] = value
    return float(np.sqrt(total))


def evaluate():
    """Our means and NumPy's, with the data in one evaluation batch and in several."""
    made = program(model=MLP)
    made.run(5)
    x, y = made.recipe.x, made.recipe.y
    weights = made.weights()
    scores = numpy_mlp.logits([w.astype("float64") for w in weights], x)
    losses = numpy_mlp.losses(scores, y)
    found = {"ours": [made.evaluate("train", x, y)]}
    before = programs.EVALUATION_ROWS
    # 60 examples: batches of 25, 25 and 10; and one example a batch.
    for rows in (25, 1):
        programs.EVALUATION_ROWS = rows
        found["ours"].append(made.evaluate(f"train in {rows}", x, y))
    programs.EVALUATION_ROWS = before
    found["numpy"] = {
        "loss": float(losses.mean()),
        "accuracy": float((scores.argmax(1) == y).mean()),
        "softmax_collapse": 0.0,
        "logit_scale": float(scores.max(1).mean()),
    }
    # A head so large that many examples have no loss in float32.
    collapsed = [*weights[:2], *(w * 300 for w in weights[2:])]
    for variable, weight in zip(made.model.trainable_variables, collapsed, strict=True):
        variable.assign(weight)
    made.from_model()
    scores = numpy_mlp.logits([w.astype("float32") for w in collapsed], x)
    ahead = scores - scores.max(1, keepdims=True)
    alone = np.exp(ahead.astype("float32")).sum(1, dtype="float32") == 1
    right = scores.argmax(1) == y  # a wrong answer keeps its gradient, however sure it is
    found["collapsed"] = [
        made.evaluate("train", x, y)["softmax_collapse"],
        float((alone & right).mean()),
    ]
    made.forget("train")
    half = made.evaluate("train", x[:7], y[:7])["accuracy"]
    found["forgotten"] = [half, float((scores[:7].argmax(1) == y[:7]).mean())]
    first = made.evaluate("first", x, y)["loss"]
    found["first_loss"] = [first, float(made.run(1)[0])]
    return found
