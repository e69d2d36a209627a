"""Watches a stock `fit` for softmax collapse, by its logs and, if given data, by the outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from grokkeras.detection import Diagnostician, Event, Observation
from grokkeras.detection.zero_loss import zero_loss_share
from grokkeras.errors import UserError

# One epoch's exact zero may be chance with few examples; three in a row are not.
_ZEROS_IN_A_ROW = 3
_GROWTH = 1.1
_BATCH = 512
# A margin or a squared error of exactly 0 is a perfect fit, not a softmax that has run over.
# fmt: off
_NOT_SOFTMAX = (
    "squared", "absolute", "hinge", "huber", "cosh", "cosine", "similarity", "dice", "mse",
    "mae", "msle", "mape", "poisson", "tversky",
)
# fmt: on


class StallWatch:
    """Events `softmax_collapse`, once a run.

    Args:
        train_data: `(x, y)` on which the share of examples without loss is measured at log-spaced
            evaluations; None: only a training loss of exactly 0 is noticed.
    """

    def __init__(self, train_data: tuple[Any, Any] | None = None) -> None:
        if train_data is not None and (
            not isinstance(train_data, (tuple, list)) or len(train_data) != 2
        ):
            raise UserError(
                f"train_data is a pair (x, y) of arrays; received {type(train_data).__name__}."
            )
        self.train_data = train_data
        self.reset()

    def reset(self) -> None:
        """Starts over, for another run."""
        self.events: list[Event] = []
        self._diagnostician = Diagnostician()
        self._zeros = 0
        self._evaluations = 0
        self._next_measure = 1

    def state_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        return {
            "events": [event.to_dict() for event in self.events],
            "diagnostician": self._diagnostician.state_dict(),
            "zeros": self._zeros,
            "evaluations": self._evaluations,
            "next_measure": self._next_measure,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        self.events = [Event.from_dict(record) for record in state["events"]]
        self._diagnostician.load_state_dict(state["diagnostician"])
        self._zeros = state["zeros"]
        self._evaluations = state["evaluations"]
        self._next_measure = state["next_measure"]

    def update(self, step: int, logs: Mapping[str, Any], model: Any) -> list[Event]:
        """Takes in one epoch's logs; the events that begin here."""
        self._evaluations += 1
        self._zeros = self._zeros + 1 if logs.get("loss") == 0 else 0
        if self._diagnostician.began:
            return []
        share = None
        if self._zeros >= _ZEROS_IN_A_ROW and _may_be_softmax(model.loss):
            share = 1.0
        elif self.train_data is not None and self._evaluations >= self._next_measure:
            due = math.ceil(self._evaluations * _GROWTH)
            self._next_measure = max(due, self._evaluations + 1)
            share = self._measure(model)
        if share is None:
            return []
        observation = Observation(
            step,
            zero_loss_share=share,
            # What a scheduler has put into the logs is what counts.
            weight_decay=logs.get("weight_decay", _weight_decay(model.optimizer)),
        )
        events = self._diagnostician.update(observation)
        self.events += events
        return events

    def _measure(self, model: Any) -> float:
        assert self.train_data is not None
        x, y = self.train_data
        outputs = model.predict(x, batch_size=_BATCH, verbose=0)
        if not hasattr(outputs, "shape"):
            raise UserError(
                "train_data measures softmax collapse of a model with one output; this one has "
                "several. Leave train_data out."
            )
        return zero_loss_share(outputs, keras.ops.convert_to_numpy(y))


def _may_be_softmax(loss: Any) -> bool:
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or _name(loss)
    return not any(word in str(name).lower() for word in _NOT_SOFTMAX)


def _name(loss: Any) -> str:
    return str(getattr(loss, "__name__", type(loss).__name__))


def _weight_decay(optimizer: Any) -> float | None:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    value = getattr(inner, "weight_decay", None)
    if value is None:
        return 0.0
    try:
        return float(keras.ops.convert_to_numpy(value))
    except (TypeError, ValueError):
        return None  # somebody's own schedule object: the advice goes without the number
