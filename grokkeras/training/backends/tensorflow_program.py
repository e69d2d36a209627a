"""Many steps in one call on TensorFlow: an XLA loop with a dynamic number of rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from grokkeras.training.backends.variables_program import VariablesProgram
from grokkeras.training.program import Program, Recipe, evaluation_sums


class TensorFlowProgram(VariablesProgram):
    """See `Program`."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._many = tf.function(self._make_steps, jit_compile=True, autograph=False)
        self._sums = tf.function(self._make_sums, jit_compile=True, autograph=False)
        self._norm = tf.function(self._make_norm, jit_compile=True, autograph=False)
        self._no_indices = tf.zeros((1, 1), "int32")

    def _loss_and_gradients(self, x: Any, y: Any) -> tuple[Any, list[Any]]:
        weights = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            logits = self.model(x, training=True)
            loss = tf.reduce_mean(self.recipe.loss.call(y, logits))
            if self.recipe.penalty is not None:
                loss += self.recipe.penalty(x, self.optimizer.iterations.value)
            scaled = self.optimizer.scale_loss(loss)
        return loss, _dense(tape.gradient(scaled, weights))

    def _make_steps(self, count: Any, indices: Any, x: Any, y: Any) -> Any:
        full = self.recipe.batch_size is None

        def one(place: Any, losses: Any) -> tuple[Any, Any]:
            rows = None if full else indices[place]
            xs, ys = (x, y) if full else (tf.gather(x, rows), tf.gather(y, rows))
            loss, gradients = self._loss_and_gradients(xs, ys)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            entry = tf.reshape(tf.cast(loss, "float32"), (1,))
            losses = tf.tensor_scatter_nd_update(losses, tf.reshape(place, (1, 1)), entry)
            return place + 1, losses

        start = (tf.constant(0), tf.zeros((self.max_chunk,), "float32"))
        return tf.while_loop(lambda place, _: place < count, one, start)[1]

    def _make_sums(self, x: Any, y: Any) -> Any:
        return evaluation_sums(self.recipe.loss, self.model(x, training=False), y)

    def _make_norm(self, x: Any, y: Any) -> Any:
        weights = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.recipe.loss.call(y, self.model(x, training=False)))
        gradients = _dense(tape.gradient(loss, weights))
        return tf.linalg.global_norm([tf.cast(gradient, "float32") for gradient in gradients])

    def prepare(self, splits: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        self._compile(self._no_steps, splits)

    def _no_steps(self) -> None:
        rows = self._no_indices
        if self.recipe.batch_size is not None:
            rows = tf.zeros((self.max_chunk, self.rows), "int32")
        self._many(tf.constant(0), rows, self.x, self.y)

    def _run_chunk(self, count: int, indices: np.ndarray | None) -> np.ndarray:
        if indices is None:
            rows = self._no_indices
        else:
            padded = np.zeros((self.max_chunk, indices.shape[1]), "int32")
            padded[:count] = indices
            rows = tf.constant(padded)
        return self._many(tf.constant(count), rows, self.x, self.y).numpy()[:count]

    def _evaluate_batch(self, x: Any, y: Any) -> np.ndarray:
        return self._sums(x, y).numpy()

    def gradient_norm(self) -> float:
        return float(self._norm(self.x[: self.rows], self.y[: self.rows]))

    def _put(self, array: np.ndarray) -> Any:
        return tf.constant(array)


def _dense(gradients: list[Any]) -> list[Any]:
    """Gradients of embeddings with one row a token: a token that occurs twice counts as the sum.

    Keras' Adam would square the rows of a sparse gradient one by one, unlike JAX and PyTorch, and
    a norm would count them apart.
    """
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def make(recipe: Recipe) -> Program:
    """The TensorFlow program of a recipe."""
    return TensorFlowProgram(recipe)
