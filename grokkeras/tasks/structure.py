"""What a task knows of its own inputs beyond the examples: rule, symmetries, difficulties, parts.

A task family states these once, as a subclass of `Structure`; augmentation, curricula and mixtures
ask for them by name. All of it is picklable, so that a task can be sent to a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


def same_labels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The labels of an invariance: those of the inputs themselves."""
    return y


@dataclass(frozen=True)
class Symmetry:
    """A map of examples to examples: what is true of an example is true of its image.

    Both maps are pure: they return new arrays and read nothing but their arguments.

    Attributes:
        name: in messages.
        inputs: rows (n, length) to rows (n, length), of the task's own kind.
        labels: (rows, their labels (n,)) to the labels of the images (n,); by default the same.
    """

    name: str
    inputs: Callable[[np.ndarray], np.ndarray]
    labels: Callable[[np.ndarray, np.ndarray], np.ndarray] = same_labels


class Structure:
    """A task of which nothing is known beyond its examples; families override what they know."""

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts of a mixture, such as its operations; () for one whole."""
        return ()

    def part_of(self, x: np.ndarray) -> np.ndarray:
        """The part that each row belongs to: (n,) int, an index into `part_names`."""
        return np.zeros(len(x), np.int64)

    def labels(self, x: np.ndarray) -> np.ndarray | None:
        """The true label of each row, by the task's rule; None where there is only data."""
        return None

    def symmetries(self) -> tuple[str, ...]:
        """Names of the symmetries that hold for this task."""
        return ()

    def members(self, name: str) -> Iterator[Symmetry]:
        """The maps of one symmetry but for the identity: one for each shift of `translate`, say.

        Args:
            name: one of `symmetries()`.
        """
        raise KeyError(name)

    def difficulties(self) -> tuple[str, ...]:
        """Names of the ways in which this task's examples can be ordered from easy to hard."""
        return ()

    def difficulty(self, name: str, x: np.ndarray) -> np.ndarray:
        """How hard each row is: (n,) float64, larger is harder.

        Args:
            name: one of `difficulties()`.
            x: (n, length) rows.
        """
        raise KeyError(name)
