"""The transforms that the tests run over, and a model's worth of weights and gradients for them.

Imported by tests, which compare, and by code on each backend, which computes. Only the functions
that build optimizers import Keras.
"""

from __future__ import annotations

import numpy as np

STEPS = 21
# Path to shape. The first matrix is the embedding, the output layer is `head`.
WEIGHTS = {
    "embedding/table": (5, 4),
    "layer_0/kernel": (4, 6),
    "layer_0/bias": (6,),
    "attention/query/kernel": (6, 2, 3),
    "attention/query/bias": (2, 3),
    "attention/attention_output/kernel": (2, 3, 6),
    "scale/gain": (1,),
    "head/kernel": (6, 5),
}
PATHS = list(WEIGHTS)
MATRICES = [None, (4, 6), None, (6, 6), None, (6, 6), None, None]
CAPPED = [True, True, False, True, False, True, False, True]


def first_weights():
    rng = np.random.default_rng(3)
    return [
        np.zeros(shape) if path.endswith("bias") else rng.normal(0, 0.5, shape)
        for path, shape in WEIGHTS.items()
    ]


def gradients(step):
    """Gradients that shrink, with a part that stays the same from step to step."""
    slow, fast = np.random.default_rng(4), np.random.default_rng([5, step])
    return [
        (0.5 * slow.normal(size=shape) + fast.normal(size=shape)) * 0.9**step
        for shape in WEIGHTS.values()
    ]


def optimizers():
    """Name to a function that makes the optimizer; in the process of a backend."""
    import keras

    from grokkeras import schedules
    from grokkeras.optimizers.muon import Muon
    from grokkeras.optimizers.transforms import (
        ClipGlobalNorm,
        CoupledWeightDecay,
        EgalitarianGradients,
        GradientNoise,
        Grokfast,
        GrokfastMA,
        LayerLearningRates,
        NormCap,
        OrthoGrad,
        WeightNorm,
        with_transforms,
    )

    def sgd(**arguments):
        return keras.optimizers.SGD(0.1, **arguments)

    def adamw(**arguments):
        return keras.optimizers.AdamW(0.05, weight_decay=0.5, **arguments)

    muon = {"learning_rate": 0.1, "adam_lr_ratio": 0.5, "weight_decay": 0.3}
    return {
        "grokfast": lambda: Grokfast(sgd()),
        "grokfast_scheduled": lambda: Grokfast(sgd(), lamb=schedules.Linear(2.0, 0.0, steps=10)),
        "grokfast_ma": lambda: GrokfastMA(sgd(), window=4),
        "grokfast_ma_1": lambda: GrokfastMA(sgd(), window=1, lamb=1.0),
        "orthograd": lambda: OrthoGrad(sgd()),
        "egalitarian": lambda: EgalitarianGradients(sgd()),
        "clip_global_norm": lambda: ClipGlobalNorm(sgd(), 2.0),
        "coupled_weight_decay": lambda: Grokfast(CoupledWeightDecay(sgd(), 0.3)),
        "gradient_noise": lambda: GradientNoise(sgd(), stddev=0.2, seed=7),
        "norm_cap": lambda: NormCap(sgd()),
        "weight_norm": lambda: WeightNorm(sgd(), scale=0.8),
        "layer_learning_rates": lambda: LayerLearningRates(
            adamw(), {"embedding": 0.1, "head": 0.0, "query/kernel": 3.0}
        ),
        "muon": lambda: Muon(**muon, adam_weight_decay=0.7),
        "muon_spectral": lambda: Muon(**muon, adam_weight_decay=0.7, scale="spectral"),
        "chain": lambda: with_transforms(
            adamw(), [{"name": "clip_global_norm", "norm": 2.0}, "grokfast", "orthograd"]
        ),
        "chain_with_muon": lambda: NormCap(Grokfast(Muon(**muon, adam_weight_decay=0.7))),
        "accumulated": lambda: Grokfast(GrokfastMA(adamw(gradient_accumulation_steps=3), window=2)),
        "scaled_loss": lambda: ClipGlobalNorm(adamw(loss_scale_factor=8.0), 2.0),
        "clipnorm_inside": lambda: Grokfast(adamw(global_clipnorm=2.0)),
    }


def trajectories():
    """Name to the weights after 0, 1, ... `STEPS` batches, by `numpy_rules` in float64."""
    import numpy_rules as rules

    count = len(WEIGHTS)

    def adamw(rates=(1.0,) * count):
        return rules.AdamW([0.05 * rate for rate in rates], [0.5] * count)

    def muon(scale="rms"):
        return rules.Muon(MATRICES, 0.1, 0.5, 0.3, 0.7, scale)

    sgd = rules.sgd(0.1)
    factors = [0.1, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0, 0.0]
    lambs = iter([2.0 * (1 - min(step, 10) / 10) for step in range(STEPS)])

    class Scheduled(rules.GrokfastEMA):
        def __call__(self, gradients, weights):
            self.lamb = next(lambs)
            return super().__call__(gradients, weights)

    cases = {
        "grokfast": ([rules.GrokfastEMA()], sgd, []),
        "grokfast_scheduled": ([Scheduled()], sgd, []),
        "grokfast_ma": ([rules.GrokfastMA(window=4)], sgd, []),
        "grokfast_ma_1": ([rules.GrokfastMA(window=1, lamb=1.0)], sgd, []),
        "orthograd": ([rules.orthograd], sgd, []),
        "egalitarian": ([rules.egalitarian(0)], sgd, []),
        "clip_global_norm": ([rules.clip(2.0)], sgd, []),
        "coupled_weight_decay": ([rules.GrokfastEMA(), rules.coupled_decay(0.3)], sgd, []),
        "gradient_noise": ([rules.Noise(0.2, 0.55, 7)], sgd, []),
        "norm_cap": ([], sgd, [rules.NormCap(CAPPED)]),
        "weight_norm": ([], sgd, [rules.WeightNorm(0.8)]),
        "layer_learning_rates": ([], adamw(factors), []),
        "muon": ([], muon(), []),
        "muon_spectral": ([], muon("spectral"), []),
        "chain": ([rules.clip(2.0), rules.GrokfastEMA(), rules.orthograd], adamw(), []),
        "chain_with_muon": ([rules.GrokfastEMA()], muon(), [rules.NormCap(CAPPED)]),
        "accumulated": ([rules.GrokfastEMA(), rules.GrokfastMA(window=2)], adamw(), []),
        "scaled_loss": ([rules.clip(2.0)], adamw(), []),
        "clipnorm_inside": ([rules.GrokfastEMA(), rules.clip(2.0)], adamw(), []),
    }
    return {
        name: _trajectory(*case, batches=3 if name == "accumulated" else 1)
        for name, case in cases.items()
    }


def _trajectory(transforms, update, constraints, batches):
    weights = first_weights()
    for constraint in constraints:
        constraint.begin(weights)
    path, waiting = [weights], []
    for step in range(STEPS):
        waiting.append(gradients(step))
        if len(waiting) == batches:
            means = [sum(parts) / batches for parts in zip(*waiting, strict=True)]
            for transform in transforms:
                means = transform(means, weights)
            before, waiting = weights, []
            weights = update(weights, means)
            for constraint in constraints:
                weights = constraint.after(weights, before)
        path.append(weights)
    return path
