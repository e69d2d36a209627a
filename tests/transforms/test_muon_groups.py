"""Which weights get Muon, on models of Keras' own layers and of this package, and beside Keras'."""

from __future__ import annotations

import json

import pytest
from helpers import run_on_backend

CODE = """
import json
import keras
from grokkeras.models import MLP, Transformer
from grokkeras.optimizers.matrices import as_matrix
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.muon_groups import muon_groups
from grokkeras.optimizers.transforms import Grokfast

tokens = keras.Input((5,))
x = keras.layers.Embedding(7, 8, name="embedding")(tokens)
x = keras.layers.MultiHeadAttention(2, 4, name="multi_head_attention")(x, x)
x = keras.layers.Conv1D(6, 3, name="conv")(x)
x = keras.layers.LayerNormalization(name="norm")(x)
x = keras.layers.Flatten()(x)
x = keras.layers.Dense(9, name="hidden")(x)
attention = keras.Model(tokens, keras.layers.Dense(3, name="last")(x))
ours = Transformer(length=3, num_classes=97, vocab_size=98, width=32, mlp_width=64, biases="all")
tied = Transformer(length=3, num_classes=97, vocab_size=98, width=32, mlp_width=64, tied_head=True)
mlp = MLP(length=2, num_classes=97, vocab_size=97, encoding="embedding", width=32, num_layers=2)

def rules(model, optimizer):
    return {g.path: [g.rule, g.reason, g.matrix] for g in muon_groups(model, optimizer)}

built = Grokfast(Muon())
built.build(attention.trainable_variables)
keras_muon = keras.optimizers.Muon(exclude_layers=["last"])
keras_muon.build(attention.trainable_variables)
print("RESULT" + json.dumps({
    "attention": rules(attention, Muon()),
    "built": rules(attention.trainable_variables, built),
    "keras": rules(attention, keras_muon),
    "keras, by slots": [v is None for v in keras_muon.adam_velocities],
    "ours, by slots": [v is None for v in built.inner_optimizer.adam_velocities],
    "named head": rules(attention, Muon(head="hidden")),
    "no head": rules(attention, Muon(head=None)),
    "excluded": rules(attention, Muon(exclude_layers=["conv", "norm"])),
    "embeddings too": rules(attention, Muon(exclude_embeddings=False)),
    "transformer": rules(ours, Muon()),
    "tied": rules(tied, Muon(head=None)),
    "mlp": rules(mlp, Muon()),
    "text": [str(g) for g in muon_groups(attention, Muon())],
    "matrices": [as_matrix(path, shape) for path, shape in PLAIN],
}))
"""

# Weights and the matrix that each stands for.
PLAIN = [
    ("dense/kernel", (3, 4), (3, 4)),
    ("block/attention/query/kernel", (8, 2, 5), (8, 10)),
    ("block/attention/key/kernel", (8, 2, 5), (8, 10)),
    ("block/attention/value/kernel", (8, 2, 5), (8, 10)),
    ("block/attention/attention_output/kernel", (2, 5, 8), (10, 8)),
    ("query/kernel", (3, 4), (3, 4)),
    ("conv1d/kernel", (3, 8, 6), (24, 6)),
    ("conv2d/kernel", (3, 3, 8, 6), (72, 6)),
    ("block/attention/query/bias", (2, 5), None),
    ("dense/bias", (4,), None),
    ("norm/gamma", (4,), None),
    ("scalar", (), None),
    ("dense/kernel", (8, 1), None),
    ("depthwise/kernel", (3, 3, 8, 1), None),
]


@pytest.fixture(scope="module")
def found():
    plain = [(path, shape) for path, shape, _ in PLAIN]
    return json.loads(run_on_backend("jax", f"PLAIN = {plain!r}\n{CODE}").split("RESULT")[1])


def muon_paths(rules):
    return [path for path, (rule, _, _) in rules.items() if rule == "muon"]


def short(paths):
    return ["/".join(path.split("/")[-2:]) for path in paths]


HIDDEN = [
    "multi_head_attention/query/kernel",
    "multi_head_attention/key/kernel",
    "multi_head_attention/value/kernel",
    "multi_head_attention/attention_output/kernel",
    "conv/kernel",
    "hidden/kernel",
]


def test_hidden_matrices_of_any_dimension_get_muon(found):
    assert muon_paths(found["attention"]) == HIDDEN
    assert found["attention"]["multi_head_attention/query/kernel"][2] == [8, 8]
    assert found["attention"]["conv/kernel"][2] == [24, 6]


def test_each_of_the_others_says_why(found):
    reasons = {path: why for path, (rule, why, _) in found["attention"].items() if rule == "adamw"}
    assert reasons["embedding/embeddings"] == "an embedding"
    assert reasons["multi_head_attention/query/bias"] == "a vector"
    assert reasons["norm/gamma"] == "a vector"
    assert "taken for the output layer" in reasons["last/kernel"]


def test_a_built_and_wrapped_optimizer_answers_the_same(found):
    assert found["built"] == found["attention"]


def test_the_list_is_what_the_optimizer_does(found):
    """Muon keeps a second moment for AdamW's group alone."""
    by_list = [rule == "muon" for rule, _, _ in found["attention"].values()]
    assert found["ours, by slots"] == by_list
    assert found["keras, by slots"] == [rule == "muon" for rule, _, _ in found["keras"].values()]


def test_beside_it_what_plain_keras_does(found):
    """The kernels of the attention go to AdamW, three of its biases to Muon."""
    assert muon_paths(found["keras"]) == [
        "multi_head_attention/query/bias",
        "multi_head_attention/key/bias",
        "multi_head_attention/value/bias",
        "hidden/kernel",
    ]


def test_head_can_be_named_or_denied(found):
    assert muon_paths(found["named head"]) == [*HIDDEN[:-1], "last/kernel"]
    assert muon_paths(found["no head"]) == [*HIDDEN, "last/kernel"]


def test_exclusions(found):
    assert muon_paths(found["excluded"]) == [path for path in HIDDEN if path != "conv/kernel"]
    assert found["excluded"]["conv/kernel"][:2] == ["adamw", "excluded"]
    assert muon_paths(found["embeddings too"]) == ["embedding/embeddings", *HIDDEN]


def test_models_of_this_package(found):
    """Embedding and head to AdamW; no matrix of a model without a head is taken for it."""
    kernels = ["query/kernel", "key/kernel", "value/kernel", "project/kernel"]
    assert short(muon_paths(found["transformer"])) == [*kernels, "expand/kernel", "contract/kernel"]
    assert short(muon_paths(found["tied"])) == [*kernels, "expand/kernel", "contract/kernel"]
    assert muon_paths(found["mlp"]) == ["hidden_0/kernel", "hidden_1/kernel"]


def test_prints_one_line_a_weight(found):
    assert len(found["text"]) == len(found["attention"])
    assert found["text"][1].startswith("muon  multi_head_attention/query/kernel (8, 2, 4)")


@pytest.mark.parametrize("place", range(len(PLAIN)), ids=lambda place: str(PLAIN[place][:2]))
def test_matrix_of_a_kernel(found, place):
    expected = PLAIN[place][2]
    assert found["matrices"][place] == (None if expected is None else list(expected))
