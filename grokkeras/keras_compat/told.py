"""What only the host knows and the compiled step reads: the step of an event, a function's number.

One small variable of the optimizer, since on JAX the update sees no other state. While Keras saves
or loads it is hidden, so that files hold what a stock optimizer has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops


class Told:
    """Numbers by name, +inf until they are told; nothing where there are no names.

    Args:
        optimizer: a Keras optimizer, built or not.
        names: what will be told.
        label: the variable's name.
    """

    def __init__(self, optimizer: Any, names: Sequence[str], label: str) -> None:
        self.optimizer = optimizer
        self.names = tuple(sorted(set(names)))
        self._label = label
        self._variable: Any = None

    def attach(self) -> None:
        """From here on the variable is among the optimizer's."""
        optimizer = self.optimizer
        if self.names and self._variable is None:
            strategy = getattr(optimizer, "_distribution_strategy", None)
            # On TensorFlow replicas must share the variable.
            with nullcontext() if strategy is None else strategy.scope():
                self._variable = optimizer.add_variable(
                    shape=(len(self.names),),
                    initializer=keras.initializers.Constant(np.inf),
                    dtype="float32",
                    aggregation="only_first_replica",
                    name=self._label,
                )
        elif self._variable is not None and self._place() is None:
            optimizer._track_variable(self._variable)

    def detach(self) -> None:
        """The inverse of `attach`; what was told is kept."""
        if self._place() is not None:
            self.optimizer._untrack_variable(self._variable)

    def tell(self, values: Mapping[str, float]) -> None:
        """Sets numbers by name; on JAX, while the state is in the variables."""
        if self._variable is None:
            return
        # Not a copy on the side: a checkpoint may have been loaded into the variable.
        present = ops.convert_to_numpy(self._variable.value)
        names = enumerate(self.names)
        told = np.array([values.get(name, present[i]) for i, name in names], "float32")
        if not np.array_equal(told, present):
            self._variable.assign(told)

    def read(self) -> dict[str, Any]:
        """The numbers as float32 scalars, in a step or outside of one."""
        if self._variable is None:
            return {}
        row = ops.convert_to_tensor(self._variable.value)
        return {name: row[place] for place, name in enumerate(self.names)}

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """For as long as this lasts, the optimizer has the variables of a stock one."""
        place = self._place()
        if place is None:
            yield
            return
        variables = self.optimizer._variables
        del variables[place]
        try:
            yield
        finally:
            variables.insert(place, self._variable)

    def _place(self) -> int | None:
        """Where the variable stands among the optimizer's, by identity."""
        places = (i for i, v in enumerate(self.optimizer._variables) if v is self._variable)
        return next(places, None)
