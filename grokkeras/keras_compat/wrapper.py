"""An optimizer around another optimizer, as `keras.optimizers.LossScaleOptimizer` is one.

Keras has no base class for that. What is used of its insides: `BaseOptimizer.__init__` sets
`weight_decay` and `loss_scale_factor`, which are the wrapped optimizer's here; `_iterations` counts
batches under gradient accumulation, where `iterations` counts updates; `_trainable_variables`,
`_get_variable_index`, `_check_variables_are_known` and `_overwrite_variable_with_gradient` are how
Keras' own optimizers find their slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import keras

W = TypeVar("W", bound="OptimizerWrapper")


class OptimizerWrapper(keras.optimizers.Optimizer):
    """Forwards to `inner_optimizer` whatever is not about the wrapper's own state.

    Args:
        inner_optimizer: a Keras optimizer.
        name: of the wrapper.

    Attributes:
        inner_optimizer: the same.
        states: the wrapper's own state variables.
        kept: a place for attributes that Keras is not to look into, to track variables anew.
    """

    def __init__(self, inner_optimizer: keras.optimizers.Optimizer, name: str | None) -> None:
        # Keras makes a step counter and a learning rate here that nobody uses; `variables` leaves
        # them out.
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.kept: Any = _Kept()

    @property
    def states(self) -> list[Any]:
        """See the class."""
        return list(self.kept.states)

    def add_state(self, name: str, shape: Sequence[int] = (), dtype: str = "float32") -> Any:
        """A new state variable, zeros."""
        variable = self.add_variable(shape=tuple(shape), dtype=dtype, name=name)
        self.kept.states.append(variable)
        return variable

    def forget_states(self) -> None:
        """Drops the state variables, to make them anew."""
        self.kept.states.clear()

    def known(self, variables: Sequence[Any] | None) -> list[Any]:
        """The variables that a step is about; None: all that the optimizer was built on.

        Raises:
            ValueError: it was not built on one of them.
        """
        if variables is None:
            return list(self._trainable_variables)
        self._check_variables_are_known(variables)
        return list(variables)

    def of(self, slots: Sequence[Any], variables: Sequence[Any]) -> list[Any]:
        """The entries of `slots` (in the order of all trainable variables) for some of them."""
        return [slots[self._get_variable_index(variable)] for variable in variables]

    def trains(self, variable: Any) -> bool:
        """Whether gradients train a variable; a float8 scale is overwritten with its gradient."""
        return not self._overwrite_variable_with_gradient(variable)

    @property
    def variables(self) -> list[Any]:
        """The wrapper's states, then the inner optimizer's variables."""
        return [*self.kept.states, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """The inner optimizer's: updates made so far."""
        return self.inner_optimizer.iterations

    @property
    def weight_decay(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.weight_decay

    @weight_decay.setter
    def weight_decay(self, weight_decay: Any) -> None:
        if "inner_optimizer" in vars(self):
            self.inner_optimizer.weight_decay = weight_decay

    @property
    def loss_scale_factor(self) -> Any:
        """The inner optimizer's, which `LossScaleOptimizer` sets to None."""
        return self.inner_optimizer.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: Any) -> None:
        if "inner_optimizer" in vars(self):
            self.inner_optimizer.loss_scale_factor = factor

    def scale_loss(self, loss: Any) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """The inner optimizer's: weights become their moving average, if it keeps one."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets `variables`, in their order."""
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def get_config(self) -> dict[str, Any]:
        """The name and the inner optimizer; subclasses add their arguments."""
        return {
            "name": self.name,
            "inner_optimizer": keras.optimizers.serialize(self.inner_optimizer),
        }

    @classmethod
    def from_config(
        cls: type[W], config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> W:
        """The inverse of `get_config`."""
        # Not deserialize_keras_object: PyTorch names its own AdamW, which only this function
        # turns into the one of the backend that loads it.
        inner = keras.optimizers.deserialize(config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})


class _Kept:
    """A plain object, into which Keras' attribute tracking does not look."""

    def __init__(self) -> None:
        self.states: list[Any] = []


def batches_seen(optimizer: Any) -> Any:
    """How many batches an optimizer has seen, those that were only accumulated included."""
    return optimizer._iterations


def replicas(optimizer: Any) -> int:
    """On how many replicas of a `tf.distribute` strategy an optimizer works; 1 elsewhere."""
    strategy = getattr(optimizer, "_distribution_strategy", None)
    return 1 if strategy is None else int(strategy.num_replicas_in_sync)
