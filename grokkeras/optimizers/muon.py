"""Muon, with its rule for every hidden matrix of a model and AdamW for all else.

    model.compile(optimizer=Muon(0.02, adam_lr_ratio=0.05, weight_decay=1.0, adam_weight_decay=1.0))
    for group in muon_groups(model, model.optimizer):
        print(group)

References: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et
al. 2025, "Muon is scalable for LLM training" (2502.16982) for the scale; for grokking Tveit et al.
2025 (2504.16041) and Fu 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.muon_rules import RuledMuon
from grokkeras.keras_compat.transforms import dense
from grokkeras.optimizers.muon_groups import MuonGroup, choose_rules
from grokkeras.optimizers.newton_schulz import orthogonalize
from grokkeras.optimizers.patterns import Patterns

Scale = Literal["rms", "spectral"]


@keras.saving.register_keras_serializable("grokkeras")
class Muon(RuledMuon):
    """Momentum whose matrix is made orthogonal, on hidden matrices; AdamW on the rest.

    M <- momentum*M + G; W <- W - learning_rate * s * NS(G + momentum*M), NS: five Newton-Schulz
    steps towards the nearest orthogonal matrix. It differs from `keras.optimizers.Muon` in what it
    is for (see `muon_groups`): the kernels of `MultiHeadAttention` and convolutions are hidden
    matrices, biases are none, and the output layer goes to AdamW without being named; and in weight
    decay: AdamW's group decays by its own learning rate, not by Muon's.

    Args:
        learning_rate: of the matrices: a float, a schedule of Keras, or a callable. Default 0.02.
        weight_decay: of the matrices, decoupled. Default 0.004, as in Keras.
        adam_lr_ratio: learning rate of AdamW's group over `learning_rate`. Default 0.05.
        adam_weight_decay: of AdamW's group. Default 0.004, as in Keras.
        scale: s for a matrix of n inputs and m outputs. `rms` (default): `rms_rate` *
            sqrt(max(n, m)), as in Keras and Liu et al., about the size of an AdamW update;
            `spectral`: sqrt(max(1, m/n)), as in Jordan's code, several times smaller.
        exclude_layers: regular expressions; weights in whose path one is found go to AdamW.
        head: the output layer, a regular expression; `auto` (default): a layer called `head`,
            `logits`, `outputs` or the like, or else the last matrix in the model's order; None:
            there is none, as where a tied embedding is the output layer.
        kwargs: all other arguments of `keras.optimizers.Muon`.

    Raises:
        UserError: an argument makes no sense; when it is built, there is no hidden matrix.
    """

    def __init__(
        self,
        learning_rate: Any = 0.02,
        weight_decay: float | None = 0.004,
        adam_lr_ratio: float = 0.05,
        adam_weight_decay: float | None = 0.004,
        scale: Scale = "rms",
        exclude_layers: str | Sequence[str] | None = None,
        head: str | None = "auto",
        **kwargs: Any,
    ) -> None:
        excluded = Patterns("Muon: exclude_layers", exclude_layers) if exclude_layers else None
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            adam_lr_ratio=adam_lr_ratio,
            adam_weight_decay=adam_weight_decay,
            exclude_layers=excluded.to_config() if excluded else None,
            **kwargs,
        )
        if scale not in ("rms", "spectral"):
            raise UserError(f"Muon: scale is 'rms' or 'spectral'; received {scale!r}.")
        self.scale = scale
        self.head = head
        # Checks the expression now, not when the model is built.
        self.groups([])

    def groups(self, variables: Sequence[Any]) -> list[MuonGroup]:
        """The rule for each of a model's trainable variables."""
        exclude = Patterns.optional("Muon: exclude_layers", self.exclude_layers or None)
        paths = [variable.path for variable in variables]
        shapes = [tuple(variable.shape) for variable in variables]
        return choose_rules(paths, shapes, exclude, self.exclude_embeddings, self.head)

    def by_adamw(self, index: int) -> bool:
        """See `RuledMuon`."""
        return self._matrices[index] is None

    def build(self, var_list: Sequence[Any]) -> None:
        """Chooses the rules and makes the state.

        Raises:
            UserError: no weight is a hidden matrix.
        """
        if self.built:
            return
        groups = self.groups(var_list)
        self._matrices = tuple(group.matrix for group in groups)
        if not any(self._matrices):
            listed = "; ".join(f"{group.path} is {group.reason}" for group in groups)
            raise UserError(
                f"Muon found no hidden matrix in this model: {listed}. Use AdamW, or say with head "
                f"and exclude_layers what is not to be left to it."
            )
        super().build(var_list)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's update, by its rule."""
        index = self.index(variable)
        gradient = dense(gradient)
        matrix = self._matrices[index]
        if matrix is None:
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = keras.backend.standardize_dtype(variable.dtype)
        gradient = ops.cast(gradient, dtype)
        momentum = self.momentums[index]
        mean = momentum * self.momentum + gradient
        self.assign(momentum, mean)
        direction = gradient + mean * self.momentum if self.nesterov else mean
        wide = ops.cast(ops.reshape(direction, matrix), "float32" if "16" in dtype else dtype)
        steps = [(self.muon_a, self.muon_b, self.muon_c)] * self.ns_steps
        update = orthogonalize(wide, steps) * self._scale(*matrix)
        step = ops.reshape(ops.cast(update, dtype), gradient.shape)
        self.assign_sub(variable, step * ops.cast(learning_rate, dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "scale": self.scale, "head": self.head}

    def _scale(self, inputs: int, outputs: int) -> float:
        if self.scale == "spectral":
            return float(max(1.0, outputs / inputs) ** 0.5)
        return 1.0 if self.rms_rate is None else float(self.rms_rate * max(inputs, outputs) ** 0.5)
