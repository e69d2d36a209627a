"""Many optimizer steps in one call: what the three backends have in common.

A program owns the training state between calls (on JAX as arrays, elsewhere as the variables of
the Keras model and optimizer), keeps the data on the device, and returns the exact loss of every
step. Its subclasses in `backends/` say how one call is compiled.
"""

from __future__ import annotations

import abc
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.config.memory import EVALUATION_ROWS
from grokkeras.training.batches import BatchOrder
from grokkeras.training.curriculum import Curriculum, CurriculumOrder
from grokkeras.training.plan import chunk_length


@dataclass(frozen=True)
class Recipe:
    """What a program trains and on what.

    Attributes:
        model: Keras model, built, inputs (batch, ...), outputs logits (batch, classes).
        optimizer: Keras optimizer.
        loss: callable (labels, logits) whose `call` gives one value an example.
        x: training inputs (examples, ...).
        y: training labels (examples,) int32.
        batch_size: examples a step; None: all.
        seed: seed of the batch order.
        penalty: from a step's inputs and its number (an integer scalar), what is added to the
            step's mean loss, differentiated with it; None: nothing.
        curriculum: the easiest examples, from which alone batches are drawn; None: all examples.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    loss: keras.losses.Loss
    x: np.ndarray
    y: np.ndarray
    batch_size: int | None
    seed: int
    penalty: Callable[[Any, Any], Any] | None = None
    curriculum: Curriculum | None = None


# The groups of `Program.arrays`.
GROUPS = ("weights", "state", "optimizer")

# What an evaluation sums over its examples, in this order.
EVALUATED = ("loss", "accuracy", "softmax_collapse", "logit_scale")


def evaluation_sums(loss: keras.losses.Loss, logits: Any, labels: Any) -> Any:
    """Sums over a batch of what `EVALUATED` names, as one float32 vector.

    `softmax_collapse` counts the right answers whose sum of exp(z - max z) is exactly 1 in the
    loss's dtype: their loss and gradient are 0 (Prieto et al. 2025, 2501.04697, section 3).
    `logit_scale` is the largest logit.
    """
    values = loss.call(labels, logits)
    scores = ops.cast(logits, values.dtype)
    classes = ops.arange(scores.shape[-1], dtype="int32")
    answers = ops.expand_dims(ops.cast(labels, "int32"), -1)
    largest = ops.max(scores, axis=-1, keepdims=True)
    # Right where the first largest is at the label: argmax, in a form that XLA vectorises.
    wins = ops.equal(scores, largest)
    at_answer = ops.any(ops.logical_and(wins, ops.equal(classes, answers)), axis=-1)
    before = ops.any(ops.logical_and(wins, classes < answers), axis=-1)
    correct = ops.logical_and(at_answer, ops.logical_not(before))
    alone = ops.equal(ops.sum(ops.exp(scores - largest), axis=-1), ops.ones((), values.dtype))
    parts = (values, correct, ops.logical_and(correct, alone), largest)
    return ops.stack([ops.sum(ops.cast(part, "float32")) for part in parts])


class Program(abc.ABC):
    """Trains and evaluates one model on one backend.

    Args:
        recipe: what to train and on what.

    Attributes:
        step: optimizer steps done.
        rows: examples a step.
        max_chunk: most steps in one compiled call.
        num_parameters: trainable numbers.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.model = recipe.model
        self.optimizer = recipe.optimizer
        self.step = 0
        self.rows = recipe.batch_size or len(recipe.x)
        self.order: BatchOrder | CurriculumOrder
        if recipe.curriculum is not None and recipe.batch_size is not None:
            self.order = CurriculumOrder(recipe.curriculum, recipe.batch_size, recipe.seed)
        else:
            self.order = BatchOrder(len(recipe.x), recipe.batch_size, recipe.seed)
        self.num_parameters = sum(math.prod(w.shape) for w in self.model.trainable_variables)
        self.max_chunk = chunk_length(self.num_parameters, self.rows)
        if not self.optimizer.built:
            self.optimizer.build(self.model.trainable_variables)
        self.x, self.y = self._put(recipe.x), self._put(recipe.y)
        self._sets: dict[str, list[tuple[Any, Any]]] = {}

    def run(self, count: int) -> np.ndarray:
        """Makes `count` optimizer steps.

        Args:
            count: any number of steps; they are made in calls of at most `max_chunk`.

        Returns:
            (count,) float32: the loss of each step's batch, with the weights before the step.
        """
        losses = []
        while count > 0:
            chunk = min(count, self.max_chunk)
            indices = None
            if self.recipe.batch_size is not None:
                indices = self.order.indices(self.step, chunk)
            losses.append(self._run_chunk(chunk, indices))
            self.step += chunk
            count -= chunk
        return np.concatenate(losses) if losses else np.zeros(0, "float32")

    @abc.abstractmethod
    def prepare(self, splits: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Compiles the training step and the evaluation of these splits, where that is to be done.

        Args:
            splits: inputs and labels by name, as `evaluate` takes them.
        """

    def evaluate(self, name: str, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Means over a split, in inference mode, with the present weights.

        Args:
            name: the split's name, under which its data stay on the device.
            x: inputs (examples, ...).
            y: labels (examples,).

        Returns:
            `loss`, `accuracy`, `softmax_collapse` (share of examples), `logit_scale` (mean largest
            logit), each over the whole split.
        """
        if name not in self._sets:
            starts = range(0, len(x), EVALUATION_ROWS)
            self._sets[name] = [
                (self._put(x[at : at + EVALUATION_ROWS]), self._put(y[at : at + EVALUATION_ROWS]))
                for at in starts
            ]
        sums = np.zeros(len(EVALUATED))
        for pair in self._sets[name]:
            sums += self._evaluate_batch(*pair)
        return {key: float(total) / len(x) for key, total in zip(EVALUATED, sums, strict=True)}

    def _compile(
        self,
        steps: Callable[[], object],
        splits: Mapping[str, tuple[np.ndarray, np.ndarray]],
    ) -> None:
        """Calls `steps` and evaluates the splits side by side, so that all of it is compiled.

        These are seconds of work for a core each, and most of what a short run waits for.
        """
        with ThreadPoolExecutor() as pool:
            waiting: list[Future[object]] = [pool.submit(steps)]
            for name, (x, y) in splits.items():
                waiting.append(pool.submit(lambda *split: self.evaluate(*split), name, x, y))
        for each in waiting:
            each.result()

    def forget(self, name: str) -> None:
        """Frees the data that `evaluate` keeps on the device under `name`."""
        self._sets.pop(name, None)

    @abc.abstractmethod
    def arrays(self, groups: Sequence[str] = GROUPS) -> dict[str, np.ndarray]:
        """A copy of what training changes: `weights/...`, `state/...`, `optimizer/...`."""

    @abc.abstractmethod
    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts back what `arrays` gave (a part of it: only the groups that are there)."""

    @abc.abstractmethod
    def weights(self) -> list[np.ndarray]:
        """The trainable weights, not copied where that can be avoided: to look at, till `run`."""

    @abc.abstractmethod
    def to_model(self) -> None:
        """Writes the state back into the Keras model and optimizer, for callbacks and saving."""

    @abc.abstractmethod
    def from_model(self) -> None:
        """Takes the state from the Keras model and optimizer, after callbacks."""

    @abc.abstractmethod
    def gradient_norm(self) -> float:
        """Norm of the gradient of the mean loss over one batch: the first `rows` examples.

        In inference mode, so that to look at it changes nothing: dropout's generator stays.
        """

    @abc.abstractmethod
    def _put(self, array: np.ndarray) -> Any:
        """A copy of `array` on the device."""

    @abc.abstractmethod
    def _run_chunk(self, count: int, indices: np.ndarray | None) -> np.ndarray:
        """`count` steps in one call; `indices` (count, batch_size), None for the full batch."""

    @abc.abstractmethod
    def _evaluate_batch(self, x: Any, y: Any) -> np.ndarray:
        """`evaluation_sums` of one batch."""


def variable_groups(model: keras.Model, optimizer: Any) -> dict[str, list[Any]]:
    """The Keras variables behind `Program.arrays`, by name, in a stable order.

    Names carry a number, since paths alone need not be unique.
    """
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
    )
    return {name: list(entries) for name, entries in zip(GROUPS, variables, strict=True)}


def named_entries(
    groups: Mapping[str, list[Any]], read: Callable[[Any], Any] = lambda entry: entry
) -> dict[str, Any]:
    """`GROUP/NUMBER` to `read(entry)` for every entry of every group."""
    return {
        f"{group}/{place:03d}": read(entry)
        for group, entries in groups.items()
        for place, entry in enumerate(entries)
    }


def make_program(recipe: Recipe) -> Program:
    """The program for the backend that Keras runs on."""
    name = keras.backend.backend()
    module = importlib.import_module(f"grokkeras.training.backends.{name}_program")
    return module.make(recipe)
