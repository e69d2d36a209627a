"""What both models do as Keras models, on one backend: runs in a process a backend."""

from __future__ import annotations

import itertools
from pathlib import Path

import keras
import numpy as np
from calling import logits_of
from keras import ops
from model_options import LAYOUTS
from saving_cases import save
from small_models import BACKEND, LAYOUT, SIZES, TOKENS

from grokkeras import config as configs
from grokkeras.config.parameters import count_parameters
from grokkeras.errors import UserError
from grokkeras.models import MLP, Transformer

LABELS = (TOKENS[:, 0] + TOKENS[:, 1]) % 7


def main(folder):
    return {
        "outside": outside,
        "outside_mlp": lambda: outside(MLP(**LAYOUT, width=8)),
        "seeded": seeded,
        "initial": initial,
        "wrapped": wrapped,
        "any_batch": any_batch,
        "parameters": parameters,
        "dropout": dropout,
        "fit": lambda: fit(Transformer(**LAYOUT, **SIZES)),
        "fit_mlp": lambda: fit(MLP(**LAYOUT, width=64, activation="quadratic")),
        "refused": refused,
        # Last, since float64 needs JAX's 64-bit mode.
        "save": lambda: save(Path(folder)),
    }


def outside(model=None):
    """Tokens outside their range; the third is what the whole vocabulary would allow."""
    model = model or Transformer(**LAYOUT, **SIZES, num_layers=2)
    good = logits_of(model, TOKENS[:6])
    bad = TOKENS[:6].copy()
    bad[1, 0], bad[2, 1], bad[3, 2], bad[4, 0] = -1, 7, 0, 100
    logits = logits_of(model, bad)
    return {
        "good": bool(np.isfinite(good).all()),
        "bad_rows": np.isnan(logits).all(-1).tolist(),
        "others_equal": bool((logits[[0, 5]] == good[[0, 5]]).all()),
    }


def seeded():
    """Logits of a few models, to be compared between backends."""
    models = {
        "transformer": Transformer(**LAYOUT, **SIZES, seed=5),
        "deep": Transformer(
            **LAYOUT, **SIZES, num_layers=2, layer_norm="pre", biases="all", seed=6, init_scale=2.0
        ),
        "tied": Transformer(**LAYOUT, **SIZES, tied_head=True, init_stddev=0.3, seed=7),
        "one_hot": MLP(**LAYOUT, width=16, seed=8),
        "embedding": MLP(
            **LAYOUT, encoding="embedding", embedding_width=8, width=16, num_layers=2, seed=9
        ),
    }
    return {name: logits_of(model, TOKENS[:5]).tolist() for name, model in models.items()}


def initial():
    """Standard deviations of the initial weights by name, and whether a seed decides them."""
    big = {"vocab_size": 300, "length": 3, "num_classes": 200, "width": 64, "mlp_width": 256}

    def deviations(**options):
        model = Transformer(**big, **options)
        return {w.path: float(np.std(ops.convert_to_numpy(w))) for w in model.trainable_variables}

    def same(one, two):
        pairs = zip(one.get_weights(), two.get_weights(), strict=True)
        return all((a == b).all() for a, b in pairs if a.ndim == 2)

    one = Transformer(**LAYOUT, **SIZES, seed=1)
    weights = [w for w in one.get_weights() if w.shape == (16, 16)]
    return {
        "default": deviations(),
        "stddev": deviations(init_stddev=0.1),
        "scale": deviations(init_scale=3.0),
        "same_seed": same(one, Transformer(**LAYOUT, **SIZES, seed=1)),
        "other_seed": same(one, Transformer(**LAYOUT, **SIZES, seed=2)),
        "all_differ": all((a != b).any() for a, b in itertools.combinations(weights, 2)),
    }


def wrapped():
    """A functional model around ours, with a free batch size."""
    differences = []
    for model in (Transformer(**LAYOUT, **SIZES, num_layers=2), MLP(**LAYOUT, width=8)):
        tokens = keras.Input((3,), dtype="int32", name="tokens")
        outer = keras.Model(tokens, model(tokens))
        assert outer.output_shape == (None, 7), outer.output_shape
        for count in (1, 5):
            gap = logits_of(outer, TOKENS[:count]) - logits_of(model, TOKENS[:count])
            differences.append(float(abs(gap).max()))
        predicted = outer.predict(TOKENS, batch_size=20, verbose=0)
        differences.append(float(abs(predicted - logits_of(model, TOKENS)).max()))
    return differences


def any_batch():
    """One trace of `tf.function` over several batch sizes."""
    if BACKEND != "tensorflow":
        return None
    import tensorflow as tf

    gaps = []
    for model in (
        Transformer(**LAYOUT, **SIZES),
        Transformer(**LAYOUT, **SIZES, num_layers=2, causal=False),
        Transformer(**{**LAYOUT, **LAYOUTS["= a b"]}, **SIZES, num_layers=2),
        MLP(**LAYOUT, encoding="embedding", width=8),
    ):
        tokens = (
            np.roll(TOKENS, 1, axis=1) if model.get_config()["token_ranges"][0][1] == 1 else TOKENS
        )
        call = tf.function(model, input_signature=[tf.TensorSpec((None, 3), "int32")])

        for count in (1, 2, 30):
            # "= a b" does not allow 0 at its last place.
            rows = tokens[tokens[:, -1] != 0][:count]
            gaps.append(float(abs(call(rows).numpy() - logits_of(model, rows)).max()))
        assert call.experimental_get_tracing_count() == 1
    return gaps


def parameters():
    """(built, counted from the configuration) for a table of configurations."""
    from grokkeras.runner.build import build_model
    from grokkeras.tasks import make_task

    transformers = [
        {"layer_norm": norm, "biases": biases, "tied_head": tied, "num_layers": layers, **SIZES}
        for norm, biases, tied, layers in [
            ("none", "mlp", False, 1),
            ("pre", "all", False, 2),
            ("post", "all", True, 3),
            ("pre", "none", True, 1),
            ("post", "mlp", False, 2),
        ]
    ]
    mlps = [
        {"encoding": "one_hot", "num_layers": 0},
        {"encoding": "one_hot", "num_layers": 2, "use_bias": False},
        {"encoding": "embedding", "num_layers": 1, "embedding_width": 8},
        {"encoding": "embedding", "num_layers": 0, "combine": "sum", "shared_embedding": False},
        {"encoding": "embedding", "num_layers": 3, "combine": "concat", "shared_embedding": False},
    ]
    numbers = {}
    modular = [
        {"name": "modular_arithmetic", "operation": "divide", "modulus": 11, "format": form}
        for form in ("a b =", "a op b =", "a b")
    ]
    parity = {"name": "sparse_parity", "num_bits": 8, "num_relevant": 2, "num_examples": 100}
    table = [
        *((modular[0], {"name": "transformer", **entry}) for entry in transformers),
        *((task, {"name": "transformer", **SIZES}) for task in modular),
        *((task, {"name": "mlp", "width": 12, **mlp}) for task in modular for mlp in mlps),
        (parity, {"name": "mlp", "encoding": "signed", "width": 12}),
        (parity, {"name": "transformer", **SIZES}),
    ]
    for task_options, model_options in table:
        config = configs.load_config(
            {"name": "t", "backend": BACKEND, "task": task_options, "model": model_options}
        )
        task = make_task(config.task, 0)
        model = build_model(config, task)
        shape = task_shape(task)
        numbers[f"{task_options} {model_options}"] = (
            model.count_params(),
            count_parameters(config.model, shape),
        )
    return numbers


def task_shape(task):
    from grokkeras.config.shape import TaskShape

    names = TaskShape.__dataclass_fields__
    # How many examples there are decides no parameter.
    return TaskShape(**{name: getattr(task, name, 0) for name in names})


def dropout():
    model = Transformer(**LAYOUT, **SIZES, dropout=0.3, seed=4)
    same = Transformer(**LAYOUT, **SIZES, dropout=0.3, seed=4)
    plain = Transformer(**LAYOUT, **SIZES, seed=4)
    other = Transformer(**LAYOUT, **SIZES, dropout=0.3, seed=5)
    for mine, theirs in zip(other.trainable_variables, model.trainable_variables, strict=True):
        mine.assign(theirs)
    trained = [logits_of(model, TOKENS, training=True) for _ in range(3)]
    again = [logits_of(same, TOKENS, training=True) for _ in range(3)]
    mlp = MLP(**LAYOUT, encoding="embedding", combine="sum", num_layers=2, width=16, dropout=0.3)
    return {
        "inference": bool((logits_of(model, TOKENS) == logits_of(plain, TOKENS)).all()),
        "weights_equal": all(
            (ops.convert_to_numpy(a) == ops.convert_to_numpy(b)).all()
            for a, b in zip(model.trainable_variables, plain.trainable_variables, strict=True)
        ),
        "training_differs": bool((trained[0] != logits_of(plain, TOKENS)).any()),
        "steps_differ": bool((trained[0] != trained[1]).any() and (trained[1] != trained[2]).any()),
        "rows_differ": bool(rows_differ(model)),
        "reproducible": all((a == b).all() for a, b in zip(trained, again, strict=True)),
        "other_seed_differs": bool((logits_of(other, TOKENS, training=True) != trained[0]).any()),
        "mlp_differs": bool(
            (logits_of(mlp, TOKENS, training=True) != logits_of(mlp, TOKENS)).any()
        ),
        "mlp_inference": bool((logits_of(mlp, TOKENS) == logits_of(mlp, TOKENS)).all()),
        "mlp_dropouts": len(mlp.dropouts),
    }


def rows_differ(model):
    """Whether equal examples in one batch get masks of their own."""
    logits = logits_of(model, np.repeat(TOKENS[:1], 8, axis=0), training=True)
    return len({row.tobytes() for row in logits}) == 8


def fit(model):
    """Stock `fit`, compiled: the losses of the first and the last epoch."""
    model.compile(
        optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto",
    )
    before = model.evaluate(TOKENS, LABELS, verbose=0)[0]
    # 49 examples in batches of 16 and one of 1: two shapes, so two traces at the most.
    history = model.fit(TOKENS, LABELS, batch_size=16, epochs=15, verbose=0).history
    return {"before": before, "losses": history["loss"], "eager": bool(model.run_eagerly)}


def refused():
    """The message for each wrong argument."""
    attempts = {
        "heads": lambda: Transformer(**LAYOUT, width=10, num_heads=4),
        "layers": lambda: Transformer(**LAYOUT, num_layers=0),
        "norm": lambda: Transformer(**LAYOUT, layer_norm="both"),
        "biases": lambda: Transformer(**LAYOUT, biases="some"),
        "activation": lambda: Transformer(**LAYOUT, activation="rellu"),
        "tied": lambda: Transformer(vocab_size=5, length=2, num_classes=9, tied_head=True),
        "ranges": lambda: Transformer(vocab_size=5, length=2, num_classes=5, token_ranges=[(0, 5)]),
        "range": lambda: Transformer(vocab_size=5, length=1, num_classes=5, token_ranges=[(3, 4)]),
        "encoding": lambda: MLP(**LAYOUT, encoding="two_hot"),
        "combine": lambda: MLP(**LAYOUT, encoding="embedding", combine="mean"),
        "features": lambda: MLP(length=3, num_classes=7),
        "signed": lambda: MLP(**LAYOUT, encoding="signed"),
    }
    messages = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except UserError as error:
            messages[name] = str(error)
    return messages
