"""What initial weights, Jacobian alignment and transfer cannot do in the run they are put in."""

from __future__ import annotations

from collections.abc import Iterator

from grokkeras.config.draft import Draft
from grokkeras.errors import Fault


def size_of_initial_weights(draft: Draft) -> Iterator[Fault]:
    """Only normal weights have a standard deviation to choose."""
    init, stddev = draft["model.init"], draft["model.init_stddev"]
    if stddev is not None and init != "normal":
        words = f"null: init {init} has a size of its own, which model.init_scale changes"
        yield Fault("model.init_stddev", stddev, words)


def connections_of_sparse_weights(draft: Draft) -> Iterator[Fault]:
    """Only sparse weights have a number of connections."""
    init, connections = draft["model.init"], draft["model.init_connections"]
    if connections is not None and init != "sparse":
        words = f"null, or model.init: sparse; {init} weights connect everything"
        yield Fault("model.init_connections", connections, words)


def jacobian_without_mixed_precision(draft: Draft) -> Iterator[Fault]:
    """The Jacobian is taken beneath the layers' own casts."""
    weight, dtype = draft["loss.jacobian_weight"], draft["train.dtype"]
    if weight and dtype.startswith("mixed_"):
        words = f"0, or train.dtype float32, bfloat16 or float64; it is {dtype}"
        yield Fault("loss.jacobian_weight", weight, words)


def projection_of_an_embedding(draft: Draft) -> Iterator[Fault]:
    """A projection says nothing about weights other than embeddings; without transfer: skipped."""
    what, method = draft["transfer.what"], draft["transfer.method"]
    if method == "projection" and what != "embedding":
        words = "exact or overlap, or transfer.what: embedding; only an embedding can be projected"
        yield Fault("transfer.method", method, words)


CHECKS = (
    size_of_initial_weights,
    connections_of_sparse_weights,
    jacobian_without_mixed_precision,
    projection_of_an_embedding,
)
