"""Which weights Muon is for: matrices that turn hidden vectors into hidden vectors.

`keras.optimizers.Muon` goes by the number of dimensions. So the kernels of `MultiHeadAttention`,
which have three, go to AdamW without a word, its biases, which have two, to Muon, and so does the
output head unless the user names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from grokkeras.errors import UserError
from grokkeras.keras_compat.muon_rules import keras_uses_adamw
from grokkeras.optimizers.matrices import as_matrix
from grokkeras.optimizers.patterns import Patterns

Rule = Literal["muon", "adamw"]

# What an output layer is called, as a whole component of a path: "multi_head_attention" is none.
HEAD = r"(^|/)(lm_head|head|logits|classifier|predictions?|outputs?|output_dense)(_\d+)?/[^/]+$"


@dataclass(frozen=True)
class MuonGroup:
    """The rule for one weight.

    Attributes:
        path: the variable's.
        shape: the variable's.
        rule: `muon` or `adamw`.
        reason: why, in a few words.
        matrix: (inputs, outputs) of the matrix that Muon makes orthogonal; None under AdamW.
    """

    path: str
    shape: tuple[int, ...]
    rule: Rule
    reason: str
    matrix: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"{self.rule:6}{self.path} {self.shape}: {self.reason}"


def choose_rules(
    paths: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    exclude: Patterns | None,
    exclude_embeddings: bool,
    head: str | None,
) -> list[MuonGroup]:
    """The rule for each weight of a model.

    Args:
        paths, shapes: of all trainable variables, in the model's order.
        exclude: weights that go to AdamW.
        exclude_embeddings: whether those with "embedding" in their path do.
        head: expression for the output layer; `auto`: what `HEAD` finds, or else the last matrix
            in the model's order; None: no layer is one.
    """
    groups: list[MuonGroup] = []
    head_pattern = Patterns.optional("Muon: head", HEAD if head == "auto" else head)
    for path, shape in zip(paths, shapes, strict=True):
        matrix = as_matrix(path, shape)
        if matrix is None:
            reason = "a vector"
        elif exclude_embeddings and "embedding" in path.lower():
            reason = "an embedding"
        elif head_pattern and head_pattern.match(path):
            reason = "the output layer"
        elif exclude and exclude.match(path):
            reason = "excluded"
        else:
            words = f"a hidden matrix of {matrix[0]} x {matrix[1]}"
            groups.append(MuonGroup(path, shape, "muon", words, matrix))
            continue
        groups.append(MuonGroup(path, shape, "adamw", reason))
    hidden = [place for place, group in enumerate(groups) if group.rule == "muon"]
    if head == "auto" and hidden and not any(g.reason == "the output layer" for g in groups):
        last = hidden[-1]
        words = "the last matrix, taken for the output layer (head=None if it is none)"
        groups[last] = MuonGroup(paths[last], shapes[last], "adamw", words)
    return groups


def muon_groups(model_or_variables: Any, optimizer: keras.optimizers.Optimizer) -> list[MuonGroup]:
    """Which weights get Muon and which get AdamW.

        for group in muon_groups(model, optimizer):
            print(group)

    Args:
        model_or_variables: a built model, or its trainable variables.
        optimizer: a Muon, this package's or Keras', or what wraps one. It need not be built.

    Raises:
        UserError: there is no Muon in the optimizer.
    """
    variables = getattr(model_or_variables, "trainable_variables", model_or_variables)
    muon = optimizer
    while not isinstance(muon, keras.optimizers.Muon):
        muon = getattr(muon, "inner_optimizer", None)
        if muon is None:
            raise UserError(f"muon_groups expected a Muon; received {type(optimizer).__name__}.")
    if hasattr(muon, "groups"):
        groups: list[MuonGroup] = muon.groups(variables)
        return groups
    rows = []
    for variable in variables:
        path, shape = variable.path, tuple(variable.shape)
        if keras_uses_adamw(muon, variable):
            words = f"{len(shape)} dimensions" if len(shape) != 2 else "excluded by its path"
            rows.append(MuonGroup(path, shape, "adamw", words))
        else:
            rows.append(MuonGroup(path, shape, "muon", "two dimensions", (shape[0], shape[1])))
    return rows
