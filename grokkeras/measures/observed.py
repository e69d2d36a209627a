"""What an evaluation has at hand, and what a measure is of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grokkeras.measures.frequency_loss import restricted_and_excluded_loss
from grokkeras.measures.groups import CyclicGroup, Group, operand_table
from grokkeras.measures.one_thread import one_blas_thread
from grokkeras.measures.singular_values import singular_values
from grokkeras.measures.spectrum import fourier_power
from grokkeras.measures.symmetric_spectrum import representation_power

Value = float | Mapping[str, float] | None
Gradients = Callable[[Sequence[np.ndarray] | None, np.ndarray], list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class Observed:
    """What an evaluation has at hand; what is None cannot be measured.

    Attributes:
        weights: the trainable weights.
        train: means over the training split: `loss`, `accuracy`, `softmax_collapse`,
            `logit_scale` (see `grokkeras.training.program.evaluation_sums`).
        val: the same over the validation split.
        paths: names of the weights.
        group: the task's group.
        logits: inputs (n, ...) to logits (n, classes), in inference mode.
        gradients: (weights, or None for the present ones; places of training examples) to the
            gradient of their mean loss.
        num_examples: training examples that `gradients` can be asked for.
    """

    weights: Sequence[np.ndarray]
    train: Mapping[str, float]
    val: Mapping[str, float] = field(default_factory=dict)
    paths: Sequence[str] = ()
    group: Group | None = None
    logits: Callable[[np.ndarray], np.ndarray] | None = None
    gradients: Gradients | None = None
    num_examples: int = 0

    @functools.cached_property
    def matrix_spectra(self) -> dict[str, np.ndarray]:
        """Singular values of each weight matrix, by path; more axes than two count as columns."""
        with one_blas_thread():
            return {
                path: singular_values(weight.reshape(len(weight), -1))
                for path, weight in zip(self.paths, self.weights, strict=False)
                if weight.ndim >= 2 and min(weight.shape) > 1
            }

    @functools.cached_property
    def spectrum(self) -> np.ndarray | None:
        """Power of the first operand's table, by frequency or by irreducible representation."""
        if self.group is None or len(self.paths) != len(self.weights):
            return None
        cyclic = isinstance(self.group, CyclicGroup)
        tokens = self.group.first if isinstance(self.group, CyclicGroup) else None
        table = operand_table(
            self.paths, self.weights, np.arange(self.group.order) if tokens is None else tokens
        )
        if table is None:
            return None
        if cyclic:
            return fourier_power(table)
        with one_blas_thread():
            power = representation_power(table, self.group.permutations)  # type: ignore[union-attr]
        return np.array(list(power.values()))

    @functools.cached_property
    def frequency_losses(self) -> tuple[float, float] | None:
        """Restricted and excluded loss."""
        group = self.group
        if not isinstance(group, CyclicGroup) or self.logits is None:
            return None
        n = group.order
        logits = self.logits(group.inputs).reshape(n, n, -1)
        return restricted_and_excluded_loss(logits, group.labels(), group.train, group.seen)

    @functools.cached_property
    def gradient(self) -> list[np.ndarray] | None:
        """Gradient of the mean loss over the training examples, 4,096 at most."""
        if self.gradients is None or not self.num_examples:
            return None
        return self.gradients(None, np.arange(min(self.num_examples, 4096)))


@dataclass(frozen=True)
class Measure:
    """A measure.

    Attributes:
        function: of what an evaluation has at hand; None where it cannot be measured there, and
            a mapping where it is one number a part, such as a layer.
        costly: computed at a few evaluations a decade only.
    """

    function: Callable[[Observed], Value]
    costly: bool = False

    def __call__(self, seen: Observed) -> Value:
        """The value."""
        return self.function(seen)


def measure_all(
    measures: Mapping[str, Measure], seen: Observed, costly: bool = True
) -> dict[str, float]:
    """Values by name; what cannot be measured is left out, and parts become `NAME/PART`.

    Args:
        measures: by name.
        seen: what is at hand.
        costly: whether the costly ones are due.
    """
    values: dict[str, float] = {}
    for name, measure in measures.items():
        if measure.costly and not costly:
            continue
        value = measure(seen)
        if isinstance(value, Mapping):
            values.update({f"{name}/{part}": float(each) for part, each in value.items()})
        elif value is not None:
            values[name] = float(value)
    return values
