"""Gives weights of a model the values that they have in another, or tells what does not fit.

Optimizer state is not taken: the model starts as a new one, from other numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from grokkeras.errors import UserError
from grokkeras.transfer.listing import Left, Taken, Transfer
from grokkeras.transfer.methods import METHODS, MisfitError
from grokkeras.transfer.names import (
    chosen_names,
    embedding_names,
    named_weights,
    token_embedding,
)
from grokkeras.transfer.source import load_source


def transfer(
    model: Any,
    source: Any,
    what: str | Sequence[str] = "all",
    method: str = "exact",
    rename: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Transfer:
    """Gives weights of `model` the values that they have in another, all or none.

    Args:
        model: a built Keras model; changed in place.
        source: a finished run's folder, a `.keras` file, or a built Keras model.
        what: `all`, `embedding`, or patterns of names such as `["block_0/*", "head/kernel"]`.
            Names are paths within the model, as `weight.path` gives them.
        method: a name from `methods.METHODS`: `exact`, `overlap` or `projection`.
        rename: names in `model` to names in the source, where the two differ. Where both models
            have one embedding of tokens, `embedding` pairs them whatever they are called.
        seed: of the projection's matrix.

    Returns:
        What was taken and what was not, and why.

    Raises:
        UserError: weights do not fit (lists all of them), nothing would be taken, the source
            cannot be read, or a name is unknown. The model is unchanged.
    """
    if method not in METHODS:
        raise UserError(f"method is one of {', '.join(METHODS)}. Received {method!r}.")
    if method == "projection" and what != "embedding":
        raise UserError(f"Only an embedding can be projected: what='embedding'. Received {what!r}.")
    for one in (model, source):
        if getattr(one, "built", True) is False:
            raise UserError(
                f"{one.name} has no weights yet. Build it first, such as by calling it on a batch."
            )
    own, chosen = named_weights(model), chosen_names(model, what)
    is_path = isinstance(source, str | Path)
    other = load_source(source) if is_path else source
    values = {name: ops.convert_to_numpy(weight) for name, weight in named_weights(other).items()}
    pairs = _pairs(model, other, chosen, what, {} if rename is None else rename, values)
    taken, arrays, misfits = _fit(own, values, pairs, method, set(embedding_names(model)), seed)
    label = str(source) if is_path else other.name
    if misfits:
        raise UserError(_misfit_words(label, misfits, what, method))
    if not taken:
        raise UserError(
            f"Nothing would be taken from {label}: none of {', '.join(chosen)} is there. "
            f"Its weights: {', '.join(values)}."
        )
    for name, array in arrays.items():
        own[name].assign(array)
    return Transfer(label, tuple(taken), *_rest(own, values, pairs, chosen))


def _pairs(
    model: Any,
    other: Any,
    chosen: Sequence[str],
    what: str | Sequence[str],
    rename: Mapping[str, str],
    values: Mapping[str, np.ndarray],
) -> dict[str, str]:
    """Names here to names in the source, of all that can be paired."""
    for name, source_name in rename.items():
        if name not in chosen or source_name not in values:
            raise UserError(
                f"rename: {name!r} must be a weight that is asked for ({', '.join(chosen)}), and "
                f"{source_name!r} one of the source ({', '.join(values)})."
            )
    mine, theirs = embedding_names(model), embedding_names(other)
    pairs = {
        # The first kernel of an MLP is an embedding on one-hots, and none on embeddings.
        name: name
        for name in chosen
        if name in values and (name in mine) == (name in theirs)
    } | dict(rename)
    here, there = token_embedding(model), token_embedding(other)
    if what == "embedding" and here and there and here not in pairs:
        pairs[here] = there
    return pairs


def _fit(
    own: Mapping[str, Any],
    values: Mapping[str, np.ndarray],
    pairs: Mapping[str, str],
    method: str,
    embeddings: set[str],
    seed: int,
) -> tuple[list[Taken], dict[str, np.ndarray], dict[str, str]]:
    """What would be taken, its new values, and which weights do not fit, and why."""
    taken: list[Taken] = []
    arrays: dict[str, np.ndarray] = {}
    misfits: dict[str, str] = {}
    for name, source_name in pairs.items():
        source, here = values[source_name], ops.convert_to_numpy(own[name])
        try:
            if name in embeddings and source.shape[:1] != here.shape[:1]:
                counts = f"{len(source):,} rows in the source, {len(here):,} here"
                raise MisfitError(f"another vocabulary or length: {counts}")
            array, how = METHODS[method](source, here, seed)
        except MisfitError as misfit:
            misfits[name] = str(misfit)
            continue
        arrays[name] = array
        taken.append(Taken(name, tuple(here.shape), source_name, tuple(source.shape), how))
    return taken, arrays, misfits


def _rest(
    own: Mapping[str, Any],
    values: Mapping[str, np.ndarray],
    pairs: Mapping[str, str],
    chosen: Sequence[str],
) -> tuple[tuple[Left, ...], tuple[Left, ...]]:
    left = tuple(
        Left(name, tuple(weight.shape), "not in the source" if name in chosen else "not asked for")
        for name, weight in own.items()
        if name not in pairs
    )
    used = set(pairs.values())
    unused = tuple(
        Left(name, tuple(array.shape), "not asked for" if name in own else "not in this model")
        for name, array in values.items()
        if name not in used
    )
    return left, unused


def _misfit_words(
    label: str, misfits: Mapping[str, str], what: str | Sequence[str], method: str
) -> str:
    lines = "\n".join(f"  {name}: {why}" for name, why in misfits.items())
    widths = all("vocabulary" not in why for why in misfits.values())
    if method == "exact" and widths:
        way = "method overlap takes the block that both have"
        if what == "embedding":
            way += ", projection brings an embedding to another width"
        else:
            way += "; or name the weights to take in `what`"
    else:
        way = "name the weights to take in `what`, without these"
    return f"These weights of {label} do not fit this model:\n{lines}\nTo go on: {way}."
