"""What `bench steps` measures, what it holds against what, and the targets.

The workloads and the baselines live in `benchmarks/`, which imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BACKENDS = ("jax", "tensorflow", "torch")
WORKLOADS = ("W1", "W2", "W3")

KINDS = {"ours": "grokkeras", "plain": "plain loop", "reduced": "reduced loop", "fit": "model.fit"}
EXPLAINED = (
    "plain loop: written by hand in the framework, every position computed. reduced loop: the "
    "same, with only what the loss reads computed, as in grokkeras. model.fit: stock Keras, every "
    "position computed. W1, W2: one-layer transformer, full batch and batches of 512. W3: "
    "quadratic MLP, batches of 512."
)


@dataclass(frozen=True)
class Measurement:
    """One loop that is timed.

    Attributes:
        workload: name in `WORKLOADS`.
        backend: name in `BACKENDS`.
        kind: key of `KINDS`, or of `grokkeras.bench.techniques.TECHNIQUES`.
    """

    workload: str
    backend: str
    kind: str

    @property
    def label(self) -> str:
        """Such as `W1, jax: reduced loop`."""
        return f"{self.workload}, {self.backend}: {KINDS.get(self.kind, self.kind)}"

    def module(self, baselines: str) -> str:
        """The module whose `make_run(workload, kind)` makes the loop.

        Args:
            baselines: the package of the baselines, `benchmarks` in a checkout.
        """
        if self.kind == "ours" or self.kind not in KINDS:
            return "grokkeras.bench.ours"
        return f"{baselines}.{'keras_fit' if self.kind == 'fit' else f'{self.backend}_loop'}"


@dataclass(frozen=True)
class Comparison:
    """Two loops side by side.

    Attributes:
        ours: ours.
        baseline: what it is held against.
        target: how many times the baseline's steps a second ours should reach; None: no target.
    """

    ours: Measurement
    baseline: Measurement
    target: float | None


# (workload, our backend): target against the hand-written loop that computes every position. It
# is PyTorch's own for PyTorch, and JAX's for the two that compile with XLA.
_PLAIN = {
    ("W1", "jax"): 5.0,
    ("W1", "tensorflow"): 5.0,
    ("W1", "torch"): 2.7,
    ("W2", "jax"): 2.3,
    ("W2", "tensorflow"): 2.3,
    ("W2", "torch"): 1.8,
}

# The same against stock `fit`, where no position is left out; elsewhere it is there to be seen.
_FIT = {("W3", "jax"): 1.1, ("W3", "tensorflow"): 3.0, ("W3", "torch"): 1.25}

# Against the hand-written loop of the same reduced arithmetic in the same framework. PyTorch's has
# the fused AdamW, which drifts from Keras' and so is no default of ours.
_REDUCED = {
    (workload, backend): target
    for workload, torch_target in zip(WORKLOADS, (0.85, 0.8, 0.5), strict=True)
    for backend, target in zip(BACKENDS, (0.92, 0.92, torch_target), strict=True)
}


def comparisons(backends: Iterable[str] = BACKENDS) -> list[Comparison]:
    """All comparisons that these backends allow, workload by workload."""
    known = [backend for backend in BACKENDS if backend in set(backends)]
    rows = []
    for workload in WORKLOADS:
        for backend in known:
            ours = Measurement(workload, backend, "ours")
            where = (workload, backend)
            plain = Measurement(workload, "torch" if backend == "torch" else "jax", "plain")
            if where in _PLAIN and plain.backend in known:
                rows.append(Comparison(ours, plain, _PLAIN[where]))
            rows.append(
                Comparison(ours, Measurement(workload, backend, "reduced"), _REDUCED[where])
            )
            rows.append(Comparison(ours, Measurement(workload, backend, "fit"), _FIT.get(where)))
    return rows


def measurements(rows: Iterable[Comparison]) -> list[Measurement]:
    """Every loop that the comparisons need, once each, in order of appearance."""
    return list(dict.fromkeys(loop for row in rows for loop in (row.ours, row.baseline)))
