"""Jacobian alignment on one backend."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import small_programs
from keras import ops

from grokkeras import losses
from grokkeras.errors import UserError
from grokkeras.losses import jacobian

X = np.random.default_rng(1).standard_normal((12, 4)).astype("float32")
Y = np.arange(12, dtype="int32") % 3
KERNEL = np.random.default_rng(2).standard_normal((4, 3)).astype("float32")
RATE, WEIGHT = 0.5, 0.3


def main():
    return {
        "jacobian_linear": linear,
        "jacobian_quadratic": quadratic,
        "jacobian_embedded": embedded,
        "jacobian_step": step,
        "jacobian_foreign": foreign,
        "jacobian_twenty_steps": twenty_steps,
        "jacobian_refusals": refusals,
    }


def linear_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, use_bias=False)])
    model.set_weights([KERNEL])
    return model


def directions(step, rows, classes, seed=0):
    logits = ops.zeros((rows, classes), "float32")
    found = jacobian._directions(logits, ops.convert_to_tensor(step, "int32"), seed)
    return ops.convert_to_numpy(found)


def penalty(model, inputs, step=0, seed=0):
    counted = ops.convert_to_tensor(step, "int32")
    found = losses.jacobian_penalty(model, ops.convert_to_tensor(inputs), counted, seed)
    return float(ops.convert_to_numpy(found))


def linear():
    """J is the kernel, transposed, whatever the inputs."""
    model = linear_model()
    return {
        "kernel": KERNEL.tolist(),
        "directions": [directions(s, 12, 3).tolist() for s in (0, 7)],
        "values": [penalty(model, X, s) for s in (0, 7)],
        "other_seed": penalty(model, X, 0, seed=1),
        "zero": penalty(zeroed(linear_model()), X),
    }


def zeroed(model):
    model.set_weights([0 * KERNEL])
    return model


def quadratic():
    """Our MLP on one-hots, by its weights: and the estimate's mean over many steps."""
    program = small_programs.program(model=small_programs.MLP)
    model, x = program.model, program.recipe.x[:5]
    return {
        "weights": [ops.convert_to_numpy(w).tolist() for w in model.trainable_variables],
        "x": x.tolist(),
        "directions": directions(3, 5, 11).tolist(),
        "value": penalty(model, x, 3),
        "squares": [penalty(model, x[:1], s) ** 2 for s in range(150)],
    }


def embedded():
    """`call_embedded` of `embed` is `call`, for every encoding and both kinds of model."""
    found = {}
    tokens = np.array([[1, 2, 7], [0, 6, 7], [5, 5, 7]], "int32")
    common = {"vocab_size": 8, "length": 3, "num_classes": 7}
    ranges = [(0, 7), (0, 7), (7, 1)]
    from grokkeras.models import MLP, Transformer

    models = {
        f"transformer {norm} {layers}": Transformer(
            **common, token_ranges=ranges, width=8, mlp_width=12, layer_norm=norm, num_layers=layers
        )
        for norm, layers in (("none", 1), ("pre", 2), ("post", 1))
    }
    models["tied"] = Transformer(**common, width=8, mlp_width=12, tied_head=True)
    for name, options in {
        "one_hot": {"encoding": "one_hot", "residual": True, "width": 14},
        "linear": {"encoding": "one_hot", "num_layers": 0},
        "concat": {"encoding": "embedding"},
        "sum": {"encoding": "embedding", "combine": "sum"},
        "apart": {"encoding": "embedding", "shared_embedding": False},
    }.items():
        models[name] = MLP(**common, token_ranges=ranges, **options)
    bits = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], "int32")
    models["signed"] = MLP(length=3, num_classes=2, vocab_size=2, encoding="signed")
    models["none"] = MLP(length=4, num_classes=2, encoding="none")
    for name, model in models.items():
        inputs = {"signed": bits, "none": X}.get(name, tokens)
        plain, through = model(inputs), model.call_embedded(model.embed(inputs))
        found[name] = float(ops.max(ops.abs(plain - through)))
    return found


def step():
    """One step of plain SGD in stock `fit`: the kernel before and after."""
    trained = losses.JacobianAlignment(linear_model(), weight=WEIGHT)
    trained.compile(keras.optimizers.SGD(RATE), loss=losses.OneHotSquaredError())
    logs = trained.train_on_batch(X, Y)
    plain = linear_model()
    plain.compile(keras.optimizers.SGD(RATE), loss=losses.OneHotSquaredError())
    return {
        "loss": float(logs),
        "plain_loss": float(plain.train_on_batch(X, Y)),
        "kernel": trained.inner.get_weights()[0].tolist(),
        "plain_kernel": plain.get_weights()[0].tolist(),
        "x": X.tolist(),
        "directions": directions(0, 12, 3).tolist(),
    }


def small_foreign():
    """A user's own subclassed model, with dropout and a call that knows `training`."""

    class Theirs(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(16, activation="tanh")
            self.dropout = keras.layers.Dropout(0.2, seed=1)
            self.second = keras.layers.Dense(3)

        def call(self, x, training=False):
            return self.second(self.dropout(self.first(x), training=training))

    model = Theirs()
    model(X)
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def foreign():
    """Stock `fit` in batches that do not divide the data, with and without the penalty."""
    found = {}
    for weight in (0.0, 0.3):
        model = small_foreign()
        trained = losses.JacobianAlignment(model, weight=weight)
        trained.compile(
            keras.optimizers.Adam(0.02),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        before = trained.evaluate(X, Y, verbose=0)[0]
        plain = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(Y, model(X)))
        history = trained.fit(X, Y, batch_size=5, epochs=40, verbose=0).history
        found[str(weight)] = {
            "evaluated": before,
            "plain": plain,
            "first": history["loss"][0],
            "draws": int(ops.convert_to_numpy(trained.draws)),
            "norm": float(np.mean([penalty(model, X, s) for s in range(50)])),
            "finite": bool(np.isfinite(history["loss"]).all()),
        }
    functional = losses.JacobianAlignment(linear_model(), weight=WEIGHT, seed=4)
    functional.compile("adam", loss=losses.StableMaxCrossentropy())
    functional.fit(X, Y, epochs=2, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wrapped.keras"
        functional.save(path)
        again = keras.saving.load_model(path)
    found["saved"] = {
        "weight": again.weight,
        "seed": again.seed,
        "equal": bool(
            np.array_equal(*(ops.convert_to_numpy(one(X)) for one in (again, functional)))
        ),
        "draws": int(ops.convert_to_numpy(again.draws)),
        "goes_on": bool(np.isfinite(again.fit(X, Y, verbose=0).history["loss"]).all()),
    }
    return found


def twenty_steps():
    loss = {"jacobian_weight": 0.05}
    found = {}
    for name, sections in {
        "transformer": {},
        "mlp": {"model": small_programs.MLP},
        "batches": {"model": small_programs.MLP, "train": {"batch_size": 16}},
    }.items():
        program = small_programs.program(loss=loss, **sections)
        if name == "mlp":
            mlp, start = program, program.arrays()
            means = program.evaluate("train", program.recipe.x, program.recipe.y)
            found["evaluated"] = means["loss"]
            found["plain"] = float(small_programs.program(**sections).run(1)[0])
        found[name] = program.run(20).tolist()
    program = mlp
    one, first = small_programs.in_chunks(program, start, [20])
    two, second = small_programs.in_chunks(program, start, [7, 13])
    found["chunks"] = bool(np.array_equal(one, two)) and small_programs.equal(first, second)
    return found


def refusals():
    said = {}
    words = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 4)])
    for name, model, inputs in (
        ("tokens", words, np.zeros((2, 3), "int32")),
        ("two", linear_model(), [X, X]),
    ):
        try:
            losses.jacobian_penalty(
                model,
                [ops.convert_to_tensor(x) for x in inputs]
                if name == "two"
                else ops.convert_to_tensor(inputs),
                0,
            )
        except UserError as error:
            said[name] = str(error)
    try:
        losses.JacobianAlignment(linear_model(), weight=-1)
    except UserError as error:
        said["weight"] = str(error)
    return said
