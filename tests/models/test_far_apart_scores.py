"""Attention whose scores lie far apart: gradients are those of a softmax, computed plainly.

Such scores come up where training is rough: with Grokfast MA on 3,830 pairs mod 113 they lie 85
apart at step 175.
"""

from __future__ import annotations

import pytest
from helpers import BACKENDS, run_on_backend

CODE = """
import keras
import numpy as np
from grokkeras.models.attention import Attention
from grokkeras.models.initial import InitialWeights

WIDTH, HEADS, PAIRS = 8, 2, 6
rng = np.random.default_rng(0)
index = [np.arange(PAIRS, dtype="int32"), PAIRS + np.arange(PAIRS, dtype="int32")[::-1].copy()]
values = rng.normal(size=(2 * PAIRS + 1, WIDTH)).astype("float32")
upstream = rng.normal(size=(PAIRS, WIDTH)).astype("float32")
layer = Attention(WIDTH, HEADS, False, False, 0.0, InitialWeights(0), 0)

if keras.backend.backend() == "jax":
    import jax
    def gradients(scores):
        def total(scores, values):
            mixed = layer._mix_rows(scores, values, [*index, 2 * PAIRS])
            return (mixed * upstream).sum()
        return jax.jit(jax.grad(total, (0, 1)))(scores, values)
elif keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    @tf.function(jit_compile=True)
    def compiled(scores, values):
        with tf.GradientTape() as tape:
            tape.watch([scores, values])
            mixed = layer._mix_rows(scores, values, [*index, 2 * PAIRS])
            total = tf.reduce_sum(mixed * upstream)
        return [tf.convert_to_tensor(g) for g in tape.gradient(total, [scores, values])]
    def gradients(scores):
        return compiled(tf.constant(scores), tf.constant(values))
else:
    import torch
    def gradients(scores):
        given = [torch.tensor(scores, requires_grad=True), torch.tensor(values, requires_grad=True)]
        places = [*(torch.tensor(part) for part in index), 2 * PAIRS]
        (layer._mix_rows(*given, places) * torch.tensor(upstream)).sum().backward()
        return [entry.grad.numpy() for entry in given]

def plain(scores):
    "By hand, in float64: d loss / d score_i = share_i * (g.v_i - g.mixed)."
    to_scores, to_values = np.zeros(scores.shape), np.zeros(values.shape)
    scale, size = (WIDTH // HEADS) ** -0.5, WIDTH // HEADS
    for example in range(PAIRS):
        rows = [int(index[0][example]), int(index[1][example]), 2 * PAIRS]
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            z = scores[rows, head].astype("float64") * scale
            share = np.exp(z - z.max())
            share /= share.sum()
            g, v = upstream[example, part].astype("float64"), values[rows, part].astype("float64")
            to_scores[rows, head] += scale * share * (v @ g - share @ v @ g)
            to_values[rows, part] += share[:, None] * g
    return to_scores, to_values

for apart in (1, 50, 90, 150, 700):
    # The pairs lie near to each other, and `apart` (after scaling) above or below the last row.
    scores = rng.normal(size=(2 * PAIRS + 1, HEADS))
    scores[:PAIRS] += 2 * apart * np.array([1, -1])
    scores[PAIRS:-1] += 2 * apart * np.array([1, -1])
    scores[: PAIRS // 2] += apart
    scores[-1 - PAIRS // 2 : -1] += apart
    scores = scores.astype("float32")
    for got, expected in zip(gradients(scores), plain(scores), strict=True):
        error = np.abs(np.asarray(got) - expected).max()
        assert error < 2e-5, (apart, error)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_right(backend):
    run_on_backend(backend, CODE)
