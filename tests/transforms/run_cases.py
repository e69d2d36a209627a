"""Runs the optimizers of `transform_cases` on prescribed gradients, each in a compiled step.

    python run_cases.py FOLDER

writes FOLDER/BACKEND.npz: for each case the weights after 0, 1, ... batches, flattened.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

import keras
import numpy as np
from keras import ops
from transform_cases import STEPS, WEIGHTS, first_weights, gradients, optimizers

BACKEND = keras.backend.backend()
if BACKEND == "torch":
    import torch

    torch.set_num_threads(1)


def variables():
    made = []
    for path, value in zip(WEIGHTS, first_weights(), strict=True):
        *scopes, name = path.split("/")
        with ExitStack() as stack:
            for scope in scopes:
                stack.enter_context(keras.name_scope(scope))
            made.append(keras.Variable(value.astype("float32"), name=name))
    assert [v.path for v in made] == list(WEIGHTS), [v.path for v in made]
    return made


def stepper(optimizer, weights):
    """A compiled function (gradients) that makes one step, on the variables themselves."""
    if BACKEND == "jax":
        import jax

        compiled = jax.jit(optimizer.stateless_apply)

        def step(given):
            state = [v.value for v in optimizer.variables]
            after, state = compiled(state, given, [w.value for w in weights])
            targets = [*weights, *optimizer.variables]
            for variable, value in zip(targets, [*after, *state], strict=True):
                variable.assign(value)

        return step
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda given: optimizer.apply(given, weights), jit_compile=True)

    def step(given):
        with torch.no_grad():
            optimizer.apply(given, weights)

    return step


def main(folder):
    results = {}
    for name, make in optimizers().items():
        weights, optimizer = variables(), make()
        optimizer.build(weights)
        step = stepper(optimizer, weights)
        factor = 8.0 if name == "scaled_loss" else 1.0
        path = [flat(weights)]
        for at in range(STEPS):
            given = [(factor * g).astype("float32") for g in gradients(at)]
            step([ops.convert_to_tensor(g) for g in given])
            path.append(flat(weights))
        results[name] = np.stack(path)
    np.savez(os.path.join(folder, f"{BACKEND}.npz"), **results)


def flat(weights):
    return np.concatenate([ops.convert_to_numpy(w).ravel() for w in weights])


if __name__ == "__main__":
    main(sys.argv[1])
