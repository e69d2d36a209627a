"""Beside implementations that others publish: those within PyTorch, run on the same gradients.

Of Grokfast and OrthoGrad the authors publish code, but no numbers; `numpy_rules` follows it.
"""

from __future__ import annotations

import json

import pytest
from helpers import run_on_backend

CODE = """
import json
import keras
import numpy as np
import torch
from grokkeras.optimizers import ClipGlobalNorm, CoupledWeightDecay, Muon

rng = np.random.default_rng(0)
SHAPES = [(16, 24), (24, 16), (16, 16)]
start = [rng.normal(0, 0.3, shape).astype("float32") for shape in SHAPES]
gradients = [[rng.normal(size=shape).astype("float32") for shape in SHAPES] for _ in range(4)]


def moves(optimizer, theirs):
    weights = [keras.Variable(w, name=f"kernel_{i}") for i, w in enumerate(start)]
    # PyTorch keeps a matrix as (outputs, inputs).
    others = [torch.nn.Parameter(torch.tensor(w.T.copy())) for w in start]
    theirs = theirs(others)
    for step in gradients:
        optimizer.apply([torch.tensor(g) for g in step], weights)
        for other, gradient in zip(others, step):
            other.grad = torch.tensor(gradient.T.copy())
        theirs()
    found = []
    for before, weight, other in zip(start, weights, others):
        mine = keras.ops.convert_to_numpy(weight) - before
        right = other.detach().numpy().T - before
        found.append(float(np.linalg.norm(mine - right) / np.linalg.norm(right)))
    return found


def muon(scale, name):
    def theirs(others):
        optimizer = torch.optim.Muon(
            others, lr=0.02, momentum=0.95, weight_decay=0.5, nesterov=True, ns_steps=5,
            adjust_lr_fn=name,
        )
        return optimizer.step
    return moves(Muon(0.02, weight_decay=0.5, scale=scale, head=None), theirs)


def clip():
    def theirs(others):
        optimizer = torch.optim.SGD(others, lr=0.1)
        def step():
            torch.nn.utils.clip_grad_norm_(others, 3.0)
            optimizer.step()
        return step
    return moves(ClipGlobalNorm(keras.optimizers.SGD(0.1), norm=3.0), theirs)


def coupled():
    def theirs(others):
        return torch.optim.Adam(others, 0.01, (0.9, 0.98), eps=1e-12, weight_decay=2.0).step
    ours = keras.optimizers.Adam(0.01, beta_2=0.98, epsilon=1e-12)
    return moves(CoupledWeightDecay(ours, decay=2.0), theirs)


print("RESULT" + json.dumps({
    "muon": muon("spectral", "original"),
    "muon, rms": muon("rms", "match_rms_adamw"),
    "clip": clip(),
    "coupled": coupled(),
}))
"""


@pytest.fixture(scope="module")
def distances():
    return json.loads(run_on_backend("torch", CODE).split("RESULT")[1])


@pytest.mark.parametrize("name", ["muon", "muon, rms"])
def test_muon_moves_as_pytorchs_own(distances, name):
    """Both scales, weight decay, wide, tall and square. PyTorch rounds to bfloat16 inside."""
    assert max(distances[name]) < 0.02


def test_clipping_is_pytorchs(distances):
    assert max(distances["clip"]) < 1e-6


def test_coupled_decay_is_that_of_pytorchs_adam(distances):
    """At an epsilon of next to nothing, which the two put in different places."""
    assert max(distances["coupled"]) < 2e-6
