"""What transforms and Muon refuse, before the first step and with words that help."""

from __future__ import annotations

import json

import pytest
from helpers import run_on_backend

# name: (what is run, words that the message must hold)
CASES = {
    "alpha": ("Grokfast(sgd(), alpha=1.0)", ["alpha", "below 1", "1.0"]),
    "lamb": ("Grokfast(sgd(), lamb=-1)", ["lamb", "0 or more", "-1"]),
    "lamb, text": ("Grokfast(sgd(), lamb='much')", ["lamb", "number", "'much'"]),
    "lamb, schedule": (
        "Grokfast(sgd(), lamb=schedules.Linear(1.0, -1.0, steps=9))", ["lamb", "0 or more"],
    ),
    "lamb, schedule's configuration": (
        "Grokfast(sgd(), lamb={'schedule': 'cosin', 'start': 1, 'end': 0, 'steps': 9})", ["cosine"],
    ),
    "feedback schedule": (
        "Grokfast(sgd(), lamb=schedules.WithLearningRate(1.0, reference=0.1))",
        ["lamb", "learning_rate", "weight decay only"],
    ),
    "window": ("GrokfastMA(sgd(), window=0)", ["window", "whole number", "0"]),
    "window, float": ("GrokfastMA(sgd(), window=2.5)", ["window", "2.5"]),
    "window above the steps": (
        "check_steps(NormCap(GrokfastMA(sgd(), window=100)), 50)", ["100", "50", "shorter"],
    ),
    "decay": ("CoupledWeightDecay(sgd(), -0.5)", ["decay", "0 or more"]),
    "norm": ("ClipGlobalNorm(sgd(), norm=-0.5)", ["norm", "0 or more"]),
    "epsilon": ("EgalitarianGradients(sgd(), epsilon=-1.0)", ["epsilon", "0 or more"]),
    "noise": ("GradientNoise(sgd(), decay=-1.0)", ["decay", "0 or more"]),
    "seed": ("GradientNoise(sgd(), seed=1.5)", ["seed", "whole number", "1.5"]),
    "both norms": ("WeightNorm(sgd(), scale=1.0, norm=2.0)", ["scale", "norm", "not both"]),
    "rates": ("LayerLearningRates(sgd(), [0.1])", ["mapping", "[0.1]"]),
    "rates, empty": ("LayerLearningRates(sgd(), {})", ["empty"]),
    "rates, expression": ("LayerLearningRates(sgd(), {'(': 0.1})", ["regular expressions", "'('"]),
    "rates, unmatched": (
        "fit(LayerLearningRates(sgd(), {'encoder': 0.1}))", ["'encoder'", "hidden/kernel"],
    ),
    "cap, unmatched": ("fit(NormCap(sgd(), variables='encoder'))", ["'encoder'", "hidden/kernel"]),
    "cap, vectors": ("fit(NormCap(sgd(), variables='bias'))", ["no weight to cap", "hidden/bias"]),
    "egalitarian, unmatched": ("fit(EgalitarianGradients(sgd(), 'encoder'))", ["'encoder'"]),
    "egalitarian, vectors": ("fit(EgalitarianGradients(sgd(), 'bias'))", ["matrices", "bias"]),
    "orthograd, coupled decay": (
        "fit(OrthoGrad(sgd()), regularizer=keras.regularizers.L2(0.01))",
        ["L2", "hidden/kernel", "weight_decay"],
    ),
    "orthograd, L1L2": (
        "fit(OrthoGrad(sgd()), regularizer=keras.regularizers.L1L2(0.01, 0.01))", ["L2"],
    ),
    "coupled decay before orthograd": (
        "fit(CoupledWeightDecay(Grokfast(OrthoGrad(sgd()))))", ["OrthoGrad(CoupledWeightDecay("],
    ),
    "loss scale inside": (
        "OrthoGrad(keras.optimizers.LossScaleOptimizer(sgd()))", ["LossScaleOptimizer(OrthoGrad("],
    ),
    "unknown transform": ("with_transforms(sgd(), ['grokfat'])", ["grokfat", "'grokfast'"]),
    "unknown argument": (
        "with_transforms(sgd(), [{'name': 'grokfast', 'lambda': 2}])", ["grokfast", "lambda"],
    ),
    "missing argument": ("with_transforms(sgd(), ['layer_learning_rates'])", ["rates"]),
    "no name": ("with_transforms(sgd(), [{'lamb': 2}])", ["name", "grokfast"]),
    "muon, scale": ("Muon(scale='big')", ["scale", "'rms'", "'big'"]),
    "muon, head": ("Muon(head='(')", ["head", "regular expressions"]),
    "muon, no hidden matrix": (
        "fit(Muon(), width=None)", ["no hidden matrix", "head/kernel", "AdamW"],
    ),
    "muon, all excluded": (
        "fit(Muon(exclude_layers=['hidden']))", ["no hidden matrix", "excluded"],
    ),
    "groups of another optimizer": ("muon_groups(model(), Grokfast(sgd()))", ["Muon", "Grokfast"]),
}  # fmt: skip

ALLOWED = [
    "fit(OrthoGrad(sgd()))",
    "fit(OrthoGrad(keras.optimizers.SGD(0.1, weight_decay=0.1)))",
    "fit(OrthoGrad(sgd()), regularizer=keras.regularizers.L1(0.01))",
    "fit(OrthoGrad(CoupledWeightDecay(sgd())))",
    "check_steps(NormCap(GrokfastMA(sgd(), window=100)), 100)",
    "check_steps(sgd(), 1)",
    "fit(Muon())",
    "fit(Muon(head=None))",
]

CODE = """
import json
import keras
import numpy as np
from grokkeras import schedules
from grokkeras.errors import UserError
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.muon_groups import muon_groups
from grokkeras.optimizers.transforms import *

def sgd():
    return keras.optimizers.SGD(0.1)

def model(regularizer=None, width=4):
    layers = [keras.Input((3,))]
    if width:
        layers.append(keras.layers.Dense(width, kernel_regularizer=regularizer, name="hidden"))
    return keras.Sequential([*layers, keras.layers.Dense(2, name="head")])

def fit(optimizer, **arguments):
    built = model(**arguments)
    built.compile(optimizer=optimizer, loss="mse")
    before = built.get_weights()
    try:
        built.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=1, verbose=0)
    except UserError:
        for old, new in zip(before, built.get_weights()):
            assert np.array_equal(old, new), "it took a step first"
        raise

def said(source):
    try:
        eval(source)
    except UserError as error:
        return str(error)
    return None

print("RESULT" + json.dumps([said(source) for source in SOURCES]))
"""


SLOW = [pytest.param(backend, marks=pytest.mark.slow) for backend in ("tensorflow", "torch")]


@pytest.fixture(scope="module", params=["jax", *SLOW])
def messages(request):
    sources = [*(source for source, _ in CASES.values()), *ALLOWED]
    output = run_on_backend(request.param, f"SOURCES = {sources!r}\n{CODE}")
    answers = json.loads(output.split("RESULT")[1])
    return dict(zip([*CASES, *ALLOWED], answers, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_refused(messages, name):
    message = messages[name]
    assert message is not None, f"not refused: {CASES[name][0]}"
    for words in CASES[name][1]:
        assert words in message, message
    assert "\n" not in message


@pytest.mark.parametrize("source", ALLOWED)
def test_not_refused(messages, source):
    assert messages[source] is None
