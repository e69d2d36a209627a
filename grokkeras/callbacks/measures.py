"""`Measures`: progress measures of grokking, in stock `fit`, in the logs and the history.

    measures = Measures(["weight_norm", "effective_rank", "gradient_norm"], train_data=(x, y))
    history = model.fit(x, y, validation_data=..., epochs=3000, callbacks=[measures])
    history.history["weight_norm"]

It works on any compiled model with one output, on all three backends, and has no batch hook.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.detection.zero_loss import zero_loss_share
from grokkeras.errors import UserError
from grokkeras.keras_compat.gradients import gradient_function
from grokkeras.keras_compat.optimizer_step import steps_done
from grokkeras.measures import MEASURES, CyclicGroup, Observed, SymmetricGroup, measure_all

_CHEAP = ("weight_norm", "generalization_gap")
_OF_OUTPUTS = ("logit_scale", "softmax_collapse")
_ROWS = 4096


class Measures(keras.callbacks.Callback):
    """Adds measures to the logs at each epoch's end; costly ones at log-spaced steps only.

    Callbacks that stand after it in the list see them. A measure that cannot be taken (a gradient
    without `train_data`, a frequency without `group`) is left out. In an epoch in which a costly
    one is not due, the logs repeat its last value, so that a history has one length.

    Args:
        measures: names of `grokkeras.measures.MEASURES`. Default: `weight_norm` and
            `generalization_gap`, and with `train_data` also `logit_scale` and `softmax_collapse`.
        train_data: `(x, y)`, NumPy arrays: what gradients and logits are taken of, all of it for
            logits, at most 4,096 examples for gradients.
        group: which token is which element of a group, for `embedding_ipr` and the like.
        costly_per_decade: for costly measures, times a tenfold growth of the step. Default 5.

    Attributes:
        values: the latest value of each.

    Raises:
        UserError: an unknown measure, or `train_data` that is no pair; after the first epoch a loss
            that is neither a name nor a function, where a measure needs its gradient.
    """

    def __init__(
        self,
        measures: Sequence[str] | None = None,
        train_data: tuple[Any, Any] | None = None,
        group: CyclicGroup | SymmetricGroup | None = None,
        costly_per_decade: int = 5,
    ) -> None:
        super().__init__()
        if isinstance(measures, str):
            raise UserError(f"measures is a list of names; received the text {measures!r}.")
        if train_data is not None and (
            not isinstance(train_data, (tuple, list)) or len(train_data) != 2
        ):
            raise UserError(
                f"train_data is a pair (x, y) of arrays; received {type(train_data).__name__}."
            )
        if not isinstance(costly_per_decade, int) or costly_per_decade < 1:
            raise UserError(
                f"costly_per_decade is a whole number, 1 or more; received {costly_per_decade!r}."
            )
        if measures is None:
            measures = _CHEAP if train_data is None else (*_CHEAP, *_OF_OUTPUTS)
        self._measures = {name: MEASURES.get(name) for name in measures}
        self._data = None if train_data is None else tuple(map(np.asarray, train_data))
        self._group = group
        self._factor = 10 ** (1 / costly_per_decade)
        self.values: dict[str, float] = {}
        self._due = 0.0
        self._gradients: Callable[..., list[np.ndarray]] | None = None
        self._fitted: tuple[Any, Any] = (None, None)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begins anew with another model, or one that was compiled anew."""
        fitted = (self.model, self.model.optimizer)
        if any(one is not other for one, other in zip(fitted, self._fitted, strict=True)):
            self._gradients = None
            self._due = 0.0
            self.values = {}
        self._fitted = fitted

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Takes the measures and adds them to the logs."""
        logs = {} if logs is None else logs
        model = self.model
        step = steps_done(model.optimizer)
        costly = step >= self._due
        if costly:
            self._due = max(step + 1, math.ceil(step * self._factor))
        variables = model.trainable_variables
        seen = Observed(
            weights=[np.asarray(ops.convert_to_numpy(v.value)) for v in variables],
            train={"loss": float(logs["loss"]), **self._of_outputs(model)}
            if "loss" in logs
            else self._of_outputs(model),
            val={"loss": float(logs["val_loss"])} if "val_loss" in logs else {},
            paths=[v.path for v in variables],
            group=self._group,
            logits=lambda x: _outputs(model, x),
            gradients=self._gradient if self._data is not None else None,
            num_examples=0 if self._data is None else len(self._data[0]),
        )
        taken = measure_all(self._measures, seen, costly)
        kept = {} if costly else self._of_costly()
        self.values = {**kept, **taken}
        logs.update(self.values)

    def _of_costly(self) -> dict[str, float]:
        """Values that stand until a costly measure is due again."""
        names = [name for name, each in self._measures.items() if each.costly]
        return {k: v for k, v in self.values.items() if k.partition("/")[0] in names}

    def _of_outputs(self, model: Any) -> dict[str, float]:
        if self._data is None or not any(name in self._measures for name in _OF_OUTPUTS):
            return {}
        x, y = self._data
        outputs = _outputs(model, x)
        found = {"logit_scale": float(outputs.max(axis=-1).mean())}
        if outputs.ndim > 1 and outputs.shape[-1] > 1:  # else there is no softmax
            found["softmax_collapse"] = zero_loss_share(outputs, y)
        return found

    def _gradient(
        self, weights: Sequence[np.ndarray] | None, places: np.ndarray
    ) -> list[np.ndarray]:
        assert self._data is not None
        if self._gradients is None:
            self._gradients = gradient_function(self.model, _loss_of(self.model))
        x, y = self._data
        return self._gradients(weights, x[places], y[places])


def _outputs(model: Any, x: np.ndarray) -> np.ndarray:
    parts = [model(x[at : at + _ROWS], training=False) for at in range(0, len(x), _ROWS)]
    return np.concatenate([np.asarray(ops.convert_to_numpy(part)) for part in parts])


def _loss_of(model: Any) -> Callable[[Any, Any], Any]:
    loss = model.loss
    if isinstance(loss, str) or callable(loss):
        found: Callable[[Any, Any], Any] = keras.losses.get(loss)
        return found if isinstance(found, keras.losses.Loss) else _as_fit_calls(found)
    raise UserError(
        f"Measures takes gradients of a model with one loss, a name or a function; this one was "
        f"compiled with {type(loss).__name__}. Leave the measures of gradients out."
    )


def _as_fit_calls(loss: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A bare function in float32, labels (n,) as (n, 1) beside outputs (n, 1), as `fit` does."""

    def aligned(labels: Any, outputs: Any) -> Any:
        outputs = ops.cast(outputs, "float32")
        if len(labels.shape) + 1 == len(outputs.shape) and outputs.shape[-1] == 1:
            labels = ops.expand_dims(labels, -1)
        return loss(labels, outputs)

    return aligned
