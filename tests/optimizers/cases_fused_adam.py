"""`fused_adam` beside `optimizer.apply`, on PyTorch."""

from __future__ import annotations

import keras
import numpy as np
import torch

from grokkeras.keras_compat.fused_adam import fused_adam

SHAPES = ((7, 5), (5,), (4, 6))


def main():
    return {
        "adamw": lambda: gap(keras.optimizers.AdamW(0.01, weight_decay=0.5, beta_2=0.98)),
        "adam": lambda: gap(keras.optimizers.Adam(0.01, epsilon=1e-3)),
        "excluded": lambda: gap(keras.optimizers.AdamW(0.01, weight_decay=0.5), exclude=True),
        "transposed gradient": lambda: gap(
            keras.optimizers.AdamW(0.01, weight_decay=0.5), transposed=True
        ),
        "left to keras": left_to_keras,
    }


def variables():
    rng = np.random.default_rng(0)
    return [
        keras.Variable(rng.normal(size=shape).astype("float32"), name=f"weight_{place}")
        for place, shape in enumerate(SHAPES)
    ]


def gap(optimizer, exclude=False, transposed=False):
    """Largest difference of the weights after five steps by the kernel and by Keras."""
    ends = []
    for fused in (True, False):
        made = type(optimizer).from_config(optimizer.get_config())
        weights = variables()
        if exclude:
            made.exclude_from_weight_decay(var_list=[weights[1]])
        made.build(weights)
        update = fused_adam(made, weights)
        rng = np.random.default_rng(1)
        for _ in range(5):
            gradients = [
                torch.as_tensor(rng.normal(size=shape).astype("float32")) for shape in SHAPES
            ]
            if transposed:
                gradients = [g.t().contiguous().t() if g.ndim == 2 else g for g in gradients]
            if fused:
                update(gradients)
            else:
                made.apply(gradients, weights)
        assert int(made.iterations) == 5
        ends.append([keras.ops.convert_to_numpy(weight.value) for weight in weights])
    return max(float(abs(one - two).max()) for one, two in zip(*ends, strict=True))


def left_to_keras():
    """Whether there is no fused rule, by what the optimizer or a weight has of its own."""

    class Own(keras.optimizers.AdamW):
        pass

    kinds = {
        "plain": keras.optimizers.AdamW(0.01),
        "amsgrad": keras.optimizers.AdamW(0.01, amsgrad=True),
        "clipnorm": keras.optimizers.AdamW(0.01, clipnorm=1.0),
        "ema": keras.optimizers.AdamW(0.01, use_ema=True),
        "transposed weight": keras.optimizers.AdamW(0.01),
        "subclass": Own(0.01),
    }
    found = {}
    for name, optimizer in kinds.items():
        weights = variables()
        if name == "transposed weight":
            weights[0].value.data = weights[0].value.data.t().contiguous().t()
        optimizer.build(weights)
        found[name] = fused_adam(optimizer, weights) is None
    return found
