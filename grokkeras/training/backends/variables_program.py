"""What TensorFlow and PyTorch share: the state lives in the variables of model and optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from keras import ops

from grokkeras.training.program import GROUPS, Program, named_entries, variable_groups


class VariablesProgram(Program):
    """See `Program`."""

    def arrays(self, groups: Sequence[str] = GROUPS) -> dict[str, np.ndarray]:
        variables = variable_groups(self.model, self.optimizer)
        return named_entries(
            {name: variables[name] for name in groups},
            lambda variable: np.array(ops.convert_to_numpy(variable.value)),
        )

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        groups = variable_groups(self.model, self.optimizer)
        for name, variable in named_entries(groups).items():
            if name in arrays:
                variable.assign(arrays[name])

    def weights(self) -> list[np.ndarray]:
        return [ops.convert_to_numpy(variable.value) for variable in self.model.trainable_variables]

    def to_model(self) -> None:
        """Nothing to do: the model's variables are the state."""

    def from_model(self) -> None:
        """Nothing to do: the model's variables are the state."""
