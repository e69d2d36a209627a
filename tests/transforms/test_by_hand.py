"""First steps worked out by hand: one or two numbers, learning rate 0.1, plain descent."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import BACKENDS, run_on_backend

# name: (transform of SGD(0.1), first weight, gradients of the steps, weights after them)
CASES = {
    # m = 0.5, g' = 0.5 + 2*0.5 = 1.5; then m = 0.98*0.5 + 0.02*0.1 = 0.492, g' = 1.084.
    "grokfast": ("Grokfast(sgd)", [1.0], [[0.5], [0.1]], [[0.85], [0.7416]]),
    # m = 0.4, g' = 0.6; then m = 0.5*0.4 + 0.5*0 = 0.2, g' = 0 + 0.5*0.2 = 0.1.
    "grokfast, other arguments": (
        "Grokfast(sgd, alpha=0.5, lamb=0.5)", [1.0], [[0.4], [0.0]], [[0.94], [0.93]],
    ),
    # Nothing until two are there: 1 - 0.1*1; then g' = 0 + 4*(1 + 0)/2 = 2; then 3 + 4*3/2 = 9.
    "grokfast_ma": (
        "GrokfastMA(sgd, window=2, lamb=4.0)", [1.0], [[1.0], [0.0], [3.0]], [[0.9], [0.7], [-0.2]],
    ),
    # w = (1, 0), g = (3, 4): across is (0, 4), scaled to norm 5.
    "orthograd": ("OrthoGrad(sgd)", [1.0, 0.0], [[3.0, 4.0]], [[1.0, -0.5]]),
    # Along the weight there is nothing left; a weight of 0 has no direction.
    "orthograd, one element": ("OrthoGrad(sgd)", [2.0], [[3.0]], [[2.0]]),
    "orthograd, weight 0": ("OrthoGrad(sgd)", [0.0], [[3.0]], [[-0.3]]),
    # Norm 5, bound 1: a fifth of the gradient. Then norm 0.5: all of it.
    "clip": (
        "ClipGlobalNorm(sgd, 1.0)", [0.0, 0.0], [[3.0, 4.0], [0.3, 0.4]],
        [[-0.06, -0.08], [-0.09, -0.12]],
    ),
    # 2 + 0.5 of the weight, which Grokfast does not see: 3*2 + 0.5.
    "coupled": ("CoupledWeightDecay(sgd, 0.5)", [1.0], [[2.0]], [[0.75]]),
    "coupled, grokfast": ("Grokfast(CoupledWeightDecay(sgd, 0.5))", [1.0], [[2.0]], [[0.35]]),
    # Singular values 2 and 1 of [[0, 2], [-1, 0]] become 1.
    "egalitarian": (
        "EgalitarianGradients(sgd)", [[1.0, 1.0], [1.0, 1.0]], [[[0.0, 2.0], [-1.0, 0.0]]],
        [[[1.0, 0.9], [1.1, 1.0]]],
    ),
    # Halfway to the plain gradient: (0.5*(1 + 2), 0.5*(1 + 1)).
    "egalitarian, half": (
        "EgalitarianGradients(sgd, strength=0.5)", [[1.0, 1.0], [1.0, 1.0]],
        [[[0.0, 2.0], [-1.0, 0.0]]], [[[1.0, 0.85], [1.1, 1.0]]],
    ),
    # A gradient far below epsilon is multiplied by 1/epsilon: 1e-8/1e-6 = 0.01.
    "egalitarian, small": (
        "EgalitarianGradients(sgd)", [[1.0, 1.0], [1.0, 1.0]], [[[1e-8, 0.0], [0.0, 1e-8]]],
        [[[0.999, 1.0], [1.0, 0.999]]],
    ),
    # |W0| = 5. (3, 8) has norm sqrt(73); back to 5. Then (2.5, 4) is within.
    "norm_cap": (
        "NormCap(sgd)", [[3.0, 0.0], [0.0, 4.0]], [[[0.0, 0.0], [0.0, -40.0]]],
        [[[15 / 73**0.5, 0.0], [0.0, 40 / 73**0.5]]],
    ),
    "norm_cap, half": (
        "NormCap(sgd, factor=0.5)", [[3.0, 0.0], [0.0, 4.0]], [[[0.0, 0.0], [0.0, 0.0]]],
        [[[1.5, 0.0], [0.0, 2.0]]],
    ),
    # (3, 3) has norm 3*sqrt(2), held at 0.5*5.
    "weight_norm": (
        "WeightNorm(sgd, scale=0.5)", [3.0, 4.0], [[0.0, 10.0]], [[2.5 / 2**0.5, 2.5 / 2**0.5]],
    ),
    "weight_norm, given": ("WeightNorm(sgd, norm=1.0)", [3.0, 4.0], [[0.0, 0.0]], [[0.6, 0.8]]),
    "rates": ("LayerLearningRates(sgd, {'w': 0.25})", [1.0], [[2.0]], [[0.95]]),
    "rates, frozen": ("LayerLearningRates(sgd, {'w': 0.0})", [1.7], [[2.0]], [[1.7]]),
    # Decay 0.1*0.5 of the weight goes with the rate too: 1 - 0.5*(0.05 + 0.2).
    "rates, decay": (
        "LayerLearningRates(SGD(0.1, weight_decay=0.5), {'w': 0.5})", [1.0], [[2.0]], [[0.875]],
    ),
    # Outermost first: clipped to 1, tripled. Inside out: tripled to 6, clipped to 1.
    "chain": ("ClipGlobalNorm(Grokfast(sgd), 1.0)", [0.0], [[2.0]], [[-0.3]]),
    "chain, other order": ("Grokfast(ClipGlobalNorm(sgd, 1.0))", [0.0], [[2.0]], [[-0.1]]),
    # The inner optimizer's clipping comes last, decay is not the transform's business.
    "clipnorm inside": ("Grokfast(SGD(0.1, clipnorm=1.0))", [0.0], [[2.0]], [[-0.1]]),
    "decay inside": ("Grokfast(SGD(0.1, weight_decay=0.5))", [1.0], [[0.5]], [[0.8]]),
    # Two batches make one update: mean 2, tripled.
    "accumulated": (
        "Grokfast(SGD(0.1, gradient_accumulation_steps=2))", [1.0], [[1.0], [3.0], [1.0]],
        [[1.0], [0.4], [0.4]],
    ),
    # Numbers that vary: lamb is 2 at step 0 and 0 at step 1.
    "schedule": (
        "Grokfast(sgd, lamb=schedules.Linear(2.0, 0.0, steps=1))", [1.0], [[0.5], [0.5]],
        [[0.85], [0.8]],
    ),
}  # fmt: skip

CODE = """
import json
import numpy as np
import keras
from keras import ops
from keras.optimizers import SGD
from grokkeras import schedules
from grokkeras.optimizers.transforms import *
if keras.backend.backend() == "torch":
    import torch
    torch.set_num_threads(1)
results = {}
for name, (source, weight, gradients, _) in json.loads(CASES).items():
    optimizer = eval(source, dict(globals(), sgd=SGD(0.1)))
    variable = keras.Variable(np.array(weight, "float32"), name="w")
    path = []
    for gradient in gradients:
        gradient = ops.convert_to_tensor(np.array(gradient, "float32"))
        optimizer.apply([gradient], [variable])
        path.append(ops.convert_to_numpy(variable).tolist())
    results[name] = path
print("RESULT" + json.dumps(results))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def computed(request):
    code = f"CASES = {json.dumps(CASES)!r}\n{CODE}"
    return json.loads(run_on_backend(request.param, code).split("RESULT")[1])


@pytest.mark.parametrize("name", CASES)
def test_first_steps(computed, name):
    expected = CASES[name][3]
    assert len(computed[name]) == len(expected)
    for step, (got, wanted) in enumerate(zip(computed[name], expected, strict=True)):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6, err_msg=f"step {step}")
