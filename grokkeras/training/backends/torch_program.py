"""Many steps in one call on PyTorch: a plain loop, without a DataLoader or a compiler.

Measured on two cores, `torch.compile` costs 24 s once and gains nothing on these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from grokkeras.keras_compat.fused_adam import fused_adam
from grokkeras.optimizers import GradientTransform
from grokkeras.training.backends.variables_program import VariablesProgram
from grokkeras.training.program import Program, Recipe, evaluation_sums


class TorchProgram(VariablesProgram):
    """See `Program`."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._variables = list(self.model.trainable_variables)
        # Keras changes a parameter in place, and asking a variable for it costs 4 us each time.
        self._weights = [variable.value for variable in self._variables]
        self._fused = fused_adam(self.optimizer, self._variables)
        if isinstance(self.optimizer, GradientTransform):
            # Changes what goes in and what comes out of the update, but not its rule.
            base = self.optimizer.base_optimizer()
            self.optimizer.update_by(fused_adam(base, self._variables))
        # Keras' `__call__` costs 0.2 ms a step; mixed precision alone needs its casts.
        policy = self.model.dtype_policy
        plain = policy.compute_dtype == policy.variable_dtype
        self._forward = self.model.call if plain else self.model

    def _loss_and_gradients(self, x: Any, y: Any) -> tuple[Any, tuple[Any, ...]]:
        logits = self._forward(x, training=True)
        loss = torch.mean(self.recipe.loss.call(y, logits))
        if self.recipe.penalty is not None:
            loss = loss + self.recipe.penalty(x, self.optimizer.iterations.value)
        return loss.detach(), torch.autograd.grad(self.optimizer.scale_loss(loss), self._weights)

    def prepare(self, splits: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Nothing: PyTorch compiles nothing here."""

    def _run_chunk(self, count: int, indices: np.ndarray | None) -> np.ndarray:
        losses = torch.empty(count, dtype=torch.float32, device=self.x.device)
        order = None if indices is None else self._put(indices)
        for place in range(count):
            x, y = self.x, self.y
            if order is not None:
                x, y = x[order[place]], y[order[place]]
            loss, gradients = self._loss_and_gradients(x, y)
            with torch.no_grad():
                if self._fused is not None:
                    self._fused(gradients)
                else:
                    self.optimizer.apply(list(gradients), self._variables)
                losses[place] = loss
        return losses.cpu().numpy()

    def _evaluate_batch(self, x: Any, y: Any) -> np.ndarray:
        with torch.no_grad():
            logits = self._forward(x, training=False)
            return evaluation_sums(self.recipe.loss, logits, y).cpu().numpy()

    def gradient_norm(self) -> float:
        logits = self.model(self.x[: self.rows], training=False)
        loss = torch.mean(self.recipe.loss.call(self.y[: self.rows], logits))
        norms = torch._foreach_norm([g.float() for g in torch.autograd.grad(loss, self._weights)])
        return float(torch.linalg.vector_norm(torch.stack(norms)))

    def _put(self, array: np.ndarray) -> Any:
        from keras.src.backend.torch.core import get_device

        return torch.as_tensor(np.array(array), device=get_device())


def make(recipe: Recipe) -> Program:
    """The PyTorch program of a recipe."""
    return TorchProgram(recipe)
