"""Every optimizer of the registry on one backend."""

from __future__ import annotations

import keras
import numpy as np
import numpy_mlp
from small_programs import MLP, config, equal, program

from grokkeras.optimizers import OPTIMIZERS

# Options beyond the defaults: what makes every term of a formula count.
OPTIONS = {
    "adamw": {"learning_rate": 0.01, "weight_decay": 0.5, "beta_2": 0.98},
    "adam": {"learning_rate": 0.01, "weight_decay": 0.1},
    "sgd": {"learning_rate": 0.05, "weight_decay": 0.1, "momentum": 0.9},
    "lion": {"learning_rate": 0.001, "weight_decay": 0.3},
    "muon": {"learning_rate": 0.02, "weight_decay": 0.5, "adam_weight_decay": 0.7},
}


def main():
    cases = {"names": lambda: sorted(OPTIMIZERS.names())}
    for name in OPTIONS:
        cases[f"minibatch {name}"] = lambda name=name: minibatch(name)
        cases[f"full {name}"] = lambda name=name: full(name)
    cases["nesterov"] = nesterov
    cases["muon matrices"] = muon_matrices
    return cases


def optimizer(name):
    return {"name": name, **OPTIONS[name]}


def minibatch(name):
    """20 losses of the network that `numpy_mlp` knows, the first steps beside its formulas."""
    made = program(model=MLP, optimizer=optimizer(name), train={"batch_size": 20})
    options = config(optimizer=optimizer(name)).optimizer
    batches = [(made.recipe.x[i], made.recipe.y[i]) for i in made.order.indices(0, 3)]
    start = [w.copy() for w in made.weights()]
    by_hand = numpy_mlp.train(name, options, start, batches)
    losses = [made.run(1)[0]]
    first = [w.copy() for w in made.weights()]
    losses += [*made.run(2)]
    third = [w.copy() for w in made.weights()]
    losses += [*made.run(17)]
    return {
        "losses": np.array(losses, "float64").tolist(),
        "first": gap(first, by_hand[0], by_hand[0], start),
        "third": gap(third, by_hand[2], by_hand[2], start),
        "hand_losses": [
            numpy_mlp.losses(numpy_mlp.logits(w, x), y).mean()
            for w, (x, y) in zip([start, *by_hand[:2]], batches, strict=True)
        ],
    }


def gap(weights, by_hand, end, start):
    """Largest difference, relative to the largest move, weight by weight."""
    return [
        float(abs(w - h).max() / abs(e - s).max())
        for w, h, e, s in zip(weights, by_hand, end, start, strict=True)
    ]


def full(name):
    """20 losses of the transformer; the same again from a saved state; the same in stock `fit`."""
    made = program(optimizer=optimizer(name))
    start = made.arrays()
    losses = made.run(10)
    middle = made.arrays()
    rest = made.run(10)
    end = made.arrays()
    made.load_arrays(middle)
    made.step = 10
    again = made.run(10)
    resumed = bool((again == rest).all()) and equal(made.arrays(), end)
    made.load_arrays(start)
    made.to_model()
    return {
        "losses": np.concatenate([losses, rest]).astype("float64").tolist(),
        "resumed": resumed,
        "fit": fit(made),
    }


def fit(made):
    """The same three steps by stock `fit`, with the loss of somebody's project."""
    made.model.compile(
        optimizer=made.optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    x, y = made.recipe.x, made.recipe.y
    history = made.model.fit(x, y, batch_size=len(x), epochs=3, shuffle=False, verbose=0)
    return history.history["loss"]


def nesterov():
    """Three steps of SGD with Nesterov momentum."""
    chosen = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True}
    made = program(model=MLP, optimizer=chosen)
    start = [w.copy() for w in made.weights()]
    batches = [(made.recipe.x, made.recipe.y)] * 3
    by_hand = numpy_mlp.train("sgd", config(optimizer=chosen).optimizer, start, batches)
    made.run(3)
    return gap(made.weights(), by_hand[2], by_hand[2], start)


def muon_matrices():
    """Which weights Muon orthogonalises, in three models."""
    two = {**MLP, "num_layers": 2}
    embedded = {**MLP, "encoding": "embedding", "embedding_width": 8}
    found = {}
    models = {"transformer": {}, "mlp": {"model": two}, "embedding": {"model": embedded}}
    for name, sections in models.items():
        made = program(optimizer=optimizer("muon"), **sections)
        found[name] = {
            v.path: not made.optimizer._should_use_adamw(v) for v in made.model.trainable_variables
        }
    return found
