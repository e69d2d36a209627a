"""Norm cap: no weight matrix grows past a multiple of its initial norm.

    model.compile(optimizer=NormCap(Muon(0.02, weight_decay=0.01)))

Reference: Fu 2026, norm-capped Muon on group composition. After the step each W with
|W| > factor * |W0| is scaled back to that norm, Frobenius norms both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.matrices import as_matrix
from grokkeras.optimizers.patterns import Patterns
from grokkeras.optimizers.transform import (
    TRANSFORMS,
    GradientTransform,
    Number,
    cast,
    to_config,
    wide_dtype,
)


@TRANSFORMS.register("norm_cap")
@keras.saving.register_keras_serializable("grokkeras")
class NormCap(GradientTransform):
    """Scales a weight back where its norm exceeds `factor` times its initial norm.

    The initial norm is that of the moment at which the optimizer is built: at the first `fit`
    after `compile`. It is saved with the optimizer.

    Args:
        inner_optimizer: see `GradientTransform`.
        factor: a number or a schedule, 0 or more. Default 1.
        variables: regular expressions, of which one must be found in the path of a weight that is
            to be capped. Default: all matrices; biases and the gains of norms are left alone. A
            weight that is 0 when the optimizer is built is never capped.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range; when it is built, there is nothing to cap.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        factor: Number = 1.0,
        variables: str | Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        self.factor = self.number("factor", factor, least=0)
        self.patterns = Patterns.optional("NormCap: variables", variables)

    def build_state(self, variables: Sequence[Any]) -> None:
        """The initial norms; 0 for a weight that is not capped."""
        norms = [initial_norm(v) if self._caps(v) else 0.0 for v in variables]
        if self.patterns:
            self.patterns.check([v.path for v in variables])
        if not any(norms):
            raise UserError(
                "NormCap found no weight to cap: each is a vector, or 0 so far. Weights: "
                f"{', '.join(v.path for v in variables)}."
            )
        self.kept.capped = [self._caps(v) for v in variables]
        self.kept.norms = [
            self.add_state(f"{v.path.replace('/', '_')}_norm", dtype=wide_dtype(v.dtype))
            for v in variables
        ]
        for state, norm in zip(self.kept.norms, norms, strict=True):
            state.assign(norm)

    def after_step(self, variables: list[Any], previous: list[Any] | None) -> None:
        """See the class."""
        factor = self.value(self.factor)
        capped = self.of(self.kept.capped, variables)
        norms = self.of(self.kept.norms, variables)
        for variable, state, is_capped in zip(variables, norms, capped, strict=True):
            if not is_capped:
                continue
            weight = ops.cast(variable, state.dtype)
            norm = ops.sqrt(ops.sum(ops.square(weight)))
            bound = state.value * cast(factor, state.dtype)
            exceeds = ops.logical_and(norm > bound, state.value > 0)
            self.adjust(variable, weight * ops.where(exceeds, bound / norm, 1.0))

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {
            **super().get_config(),
            "factor": to_config(self.factor),
            "variables": self.patterns.to_config() if self.patterns else None,
        }

    def _caps(self, variable: Any) -> bool:
        if self.patterns:
            return self.patterns.match(variable.path)
        return as_matrix(variable.path, variable.shape) is not None


def initial_norm(variable: Any) -> float:
    """The Frobenius norm of a weight as it is, outside of a step."""
    return float(np.linalg.norm(ops.convert_to_numpy(variable).astype("float64")))
