"""Egalitarian gradient descent: every direction of the first layer learns at the same speed.

    model.compile(optimizer=EgalitarianGradients(keras.optimizers.SGD(0.1)))

Reference: Pasand and Dohmatob 2025, "Egalitarian gradient descent: A simple approach to accelerated
grokking" (2510.04930): the gradient G = U S V' of the first layer becomes U V'. The authors' code
goes back to plain descent once the *test* accuracy is above 95 %. This one looks at gradients only:
it fades out by itself, as the gradient falls below `epsilon`. To switch it off earlier, give
`strength` a schedule, such as one that waits for the validation data's grokking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.matrices import as_matrix
from grokkeras.optimizers.newton_schulz import EXACT, FAST, orthogonalize
from grokkeras.optimizers.patterns import Patterns
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, cast, to_config

# Singular values above 1e-5 of the gradient's norm end at 1 (3.4^10 is 2e5).
_STEPS = (FAST,) * 10 + (EXACT,) * 4


@TRANSFORMS.register("egalitarian")
@keras.saving.register_keras_serializable("grokkeras")
class EgalitarianGradients(GradientTransform):
    """Sets the singular values of gradients to 1: G <- (G G' + epsilon^2)^(-1/2) G.

    A singular value s becomes s / sqrt(s^2 + epsilon^2); the authors' code has
    s / max(s, epsilon), which differs only near epsilon.

    Args:
        inner_optimizer: see `GradientTransform`. The paper has SGD; behind Adam, which
            rescales each element, little of the equality is left.
        layers: regular expressions, of which one must be found in the path of a weight whose
            gradient is to be changed. Default: the first matrix of the model alone, as in the
            authors' code.
        epsilon: singular values below fade out, 0 or more. Default 1e-6, the authors'. Where
            gradients have directions as small as their rounding, those are raised like all others
            and runs part that began alike; 1e-4 keeps them together.
        strength: 1: as above; 0: the plain gradient; between: a mixture. A number or a schedule.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range; when it is built, there is no such matrix.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        layers: str | Sequence[str] | None = None,
        epsilon: float = 1e-6,
        strength: Number = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if not epsilon >= 0:
            raise UserError(f"EgalitarianGradients: epsilon is 0 or more; received {epsilon!r}.")
        self.patterns = Patterns.optional("EgalitarianGradients: layers", layers)
        self.epsilon = float(epsilon)
        self.strength = self.number("strength", strength, least=0)

    def build_state(self, variables: Sequence[Any]) -> None:
        """Nothing to keep; decides which weights it is for."""
        matrices = [as_matrix(v.path, v.shape) for v in variables]
        if self.patterns:
            self.patterns.check([v.path for v in variables])
            meant = [self.patterns.match(v.path) for v in variables]
        else:
            meant = [m is not None and not any(matrices[:i]) for i, m in enumerate(matrices)]
        pairs = zip(matrices, meant, strict=True)
        self.kept.matrices = [matrix if is_meant else None for matrix, is_meant in pairs]
        if not any(self.kept.matrices):
            which = f"that layers={self.patterns.to_config()} picks" if self.patterns else "there"
            raise UserError(
                f"EgalitarianGradients is for matrices, and no weight {which} is one. Weights: "
                f"{', '.join(v.path for v in variables)}."
            )

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        matrices = self.of(self.kept.matrices, variables)
        return [
            gradient if shape is None else self._equalized(gradient, shape)
            for gradient, shape in zip(gradients, matrices, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {
            **super().get_config(),
            "layers": self.patterns.to_config() if self.patterns else None,
            "epsilon": self.epsilon,
            "strength": to_config(self.strength),
        }

    def _equalized(self, gradient: Any, shape: tuple[int, int]) -> Any:
        matrix = ops.reshape(gradient, shape)
        if shape[0] > shape[1]:
            matrix = ops.transpose(matrix)
        # The nearest orthogonal matrix to [G, epsilon*I] is (G G' + epsilon^2)^(-1/2) [G, ...].
        side = self.epsilon * ops.eye(min(shape), dtype=matrix.dtype)
        both = ops.concatenate([matrix, side], axis=1)
        equal = orthogonalize(both, _STEPS, tiny=1e-30)[:, : max(shape)]
        if shape[0] > shape[1]:
            equal = ops.transpose(equal)
        equal = ops.reshape(equal, gradient.shape)
        strength = cast(self.value(self.strength), gradient.dtype)
        return equal * strength + gradient * (1.0 - strength)
