"""Many steps in one call on JAX: a compiled loop with a dynamic number of rounds.

One program serves every chunk length: the loop's length is an argument, the losses go into a
buffer of the longest chunk's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from grokkeras.keras_compat.optimizer_step import optimizer_step
from grokkeras.training.program import (
    GROUPS,
    Program,
    Recipe,
    evaluation_sums,
    named_entries,
    variable_groups,
)


class JaxProgram(Program):
    """See `Program`. The state lives here as arrays and is donated from call to call."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._carried: tuple[list[Any], ...] = ()
        self._many = jax.jit(self._make_steps, donate_argnums=0)
        self._sums = jax.jit(self._make_sums)
        self._norm = jax.jit(self._make_norm)
        self._no_indices = jnp.zeros((1, 1), "int32")
        self.from_model()

    def _mean_loss(
        self, weights: Any, state: Any, slots: Any, x: Any, y: Any
    ) -> tuple[Any, tuple[Any, Any]]:
        given = state
        # Dropout that is annealed asks for the step.
        with optimizer_step(self.optimizer, slots):
            logits, state = self.model.stateless_call(weights, state, x, training=True)
        loss = jnp.mean(self.recipe.loss.call(y, logits))
        if self.recipe.penalty is not None:
            groups = variable_groups(self.model, self.optimizer)
            variables = [variable for group in groups.values() for variable in group]
            with keras.StatelessScope(zip(variables, [*weights, *given, *slots], strict=True)):
                loss = loss + self.recipe.penalty(x, self.optimizer.iterations.value)
        # LossScaleOptimizer (float16) wants the scaled loss differentiated, others return it as is.
        # Outside the scope its present scale would be a constant of the compiled step.
        with keras.StatelessScope(zip(self.optimizer.variables, slots, strict=True)):
            return self.optimizer.scale_loss(loss), (loss, state)

    def _make_steps(
        self, carried: Any, count: Any, indices: Any, x: Any, y: Any
    ) -> tuple[Any, Any]:
        full = self.recipe.batch_size is None
        differentiate = jax.value_and_grad(self._mean_loss, has_aux=True)

        def one(place: Any, carry: Any) -> Any:
            (weights, state, slots), losses = carry
            rows = None if full else indices[place]
            xs, ys = (x, y) if full else (x[rows], y[rows])
            (_, (loss, state)), gradients = differentiate(weights, state, slots, xs, ys)
            weights, slots = self.optimizer.stateless_apply(slots, gradients, weights)
            carry = (list(weights), list(state), list(slots))
            return carry, losses.at[place].set(loss.astype("float32"))

        losses = jnp.zeros(self.max_chunk, "float32")
        return jax.lax.fori_loop(0, count, one, (carried, losses))

    def _make_sums(self, weights: Any, state: Any, x: Any, y: Any) -> Any:
        logits, _ = self.model.stateless_call(weights, state, x, training=False)
        return evaluation_sums(self.recipe.loss, logits, y)

    def _make_norm(self, weights: Any, state: Any, x: Any, y: Any) -> Any:
        def mean_loss(trained: Any) -> Any:
            logits, _ = self.model.stateless_call(trained, state, x, training=False)
            return jnp.mean(self.recipe.loss.call(y, logits))

        gradients = jax.grad(mean_loss)(weights)
        return jnp.sqrt(sum(jnp.sum(jnp.square(g.astype("float32"))) for g in gradients))

    def prepare(self, splits: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        self._compile(self._no_steps, splits)

    def _no_steps(self) -> None:
        rows = self._no_indices
        if self.recipe.batch_size is not None:
            rows = jnp.zeros((self.max_chunk, self.rows), "int32")
        # A copy, since it is donated, while an evaluation may be reading.
        self._many(jax.tree.map(jnp.copy, self._carried), 0, rows, self.x, self.y)

    def _run_chunk(self, count: int, indices: np.ndarray | None) -> np.ndarray:
        if indices is None:
            rows = self._no_indices
        else:
            padded = np.zeros((self.max_chunk, indices.shape[1]), "int32")
            padded[:count] = indices
            rows = jnp.asarray(padded)
        self._carried, losses = self._many(self._carried, count, rows, self.x, self.y)
        return np.asarray(losses)[:count]

    def _evaluate_batch(self, x: Any, y: Any) -> np.ndarray:
        return np.asarray(self._sums(self._carried[0], self._carried[1], x, y))

    def gradient_norm(self) -> float:
        return float(
            self._norm(self._carried[0], self._carried[1], self.x[: self.rows], self.y[: self.rows])
        )

    def weights(self) -> list[np.ndarray]:
        return [np.asarray(weight) for weight in self._carried[0]]

    def arrays(self, groups: Sequence[str] = GROUPS) -> dict[str, np.ndarray]:
        carried = dict(zip(GROUPS, self._carried, strict=True))
        # np.array copies: the buffers themselves are donated to the next call.
        return named_entries({name: carried[name] for name in groups}, np.array)

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        current = named_entries(dict(zip(GROUPS, self._carried, strict=True)))
        taken = {
            name: jnp.array(arrays[name], dtype=entry.dtype) if name in arrays else entry
            for name, entry in current.items()
        }
        self._carried = tuple(
            [entry for key, entry in taken.items() if key.startswith(f"{name}/")] for name in GROUPS
        )

    def to_model(self) -> None:
        groups = variable_groups(self.model, self.optimizer)
        for variables, entries in zip(groups.values(), self._carried, strict=True):
            for variable, entry in zip(variables, entries, strict=True):
                variable.assign(jnp.copy(entry))

    def from_model(self) -> None:
        groups = variable_groups(self.model, self.optimizer)
        self._carried = tuple(
            [jnp.copy(variable.value) for variable in variables] for variables in groups.values()
        )

    def _put(self, array: np.ndarray) -> Any:
        return jnp.array(array)


def make(recipe: Recipe) -> Program:
    """The JAX program of a recipe."""
    return JaxProgram(recipe)
