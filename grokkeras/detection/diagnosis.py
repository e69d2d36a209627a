"""Why a run stalls, in words: softmax collapse and vanished gradients.

Softmax collapse (Prieto et al. 2025, arXiv 2501.04697): once a model fits its training data, its
logits grow until the loss of most examples rounds to exactly 0; then so do the gradients, and
grokking never starts. The numbers are measured elsewhere; here they are only judged.

    diagnose(Observation(step=4000, zero_loss_share=0.98, weight_decay=0.0))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grokkeras.detection.events import Event
from grokkeras.errors import UserError

# Distance from 1 to the next number: what a value of size 1 can still resolve. In mixed precision
# weights and losses are float32; only the activations are narrower.
EPSILON = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "bfloat16": 2.0**-7,
    "float16": 2.0**-10,
    "mixed_bfloat16": 2.0**-23,
    "mixed_float16": 2.0**-23,
}
COLLAPSED_SHARE = 0.9
_STATE_VERSION = 1


@dataclass(frozen=True)
class Observation:
    """Numbers of one evaluation; what was not measured is None and is not judged.

    Attributes:
        step: the optimizer step.
        zero_loss_share: share of training examples, 0 to 1, whose loss is exactly 0.
        gradient_norm: Euclidean norm of the training loss' gradient, weight decay left out.
        weight_norm: Euclidean norm of all trained weights.
        weight_decay: the optimizer's, for the advice. None: not known.
        dtype: of loss and weights, a Keras name such as `float32` or `mixed_bfloat16`.
        optimizer_epsilon: what an optimizer that divides by the gradient's running size adds to it
            (Adam's epsilon). None: it does not divide (SGD).
    """

    step: int
    zero_loss_share: float | None = None
    gradient_norm: float | None = None
    weight_norm: float | None = None
    weight_decay: float | None = None
    dtype: str = "float32"
    optimizer_epsilon: float | None = None


@dataclass(frozen=True)
class Finding:
    """One reason why a run does not move.

    Attributes:
        cause: `softmax_collapse` or `vanished_gradients`; also the name of its event.
        message: what is seen, and what to do.
    """

    cause: str
    message: str


def diagnose(observation: Observation) -> list[Finding]:
    """What stalls the run at this evaluation; empty where nothing does.

    Softmax collapse explains vanished gradients, so the second is reported only without the first.

    Raises:
        UserError: the dtype is unknown.
    """
    if observation.dtype not in EPSILON:
        raise UserError(
            f"Unknown dtype {observation.dtype!r}; expected one of {', '.join(EPSILON)}."
        )
    finding = _softmax_collapse(observation) or _vanished_gradients(observation)
    return [finding] if finding else []


def _softmax_collapse(seen: Observation) -> Finding | None:
    share = seen.zero_loss_share
    if share is None or not share >= COLLAPSED_SHARE:
        return None
    dtype = _loss_dtype(seen)
    gradient = _vanished_gradients(seen)
    vanished = "gradients are zero" if share == 1 or gradient else "they have no gradient"
    remedies = [_more_decay(seen)]
    if dtype != "float64":
        remedies.append("compute the loss in float64 (loss.dtype: float64 in a configuration)")
    return Finding(
        "softmax_collapse",
        f"training loss is exactly 0 in {dtype} for {_percent(share)} of examples; {vanished}: "
        + " or ".join(remedies)
        + ".",
    )


def _vanished_gradients(seen: Observation) -> Finding | None:
    norm = seen.gradient_norm
    if norm is None:
        return None
    if norm == 0:
        what = "the training gradient is exactly 0, so only weight decay still moves the weights"
    elif seen.optimizer_epsilon is not None:
        if not norm <= seen.optimizer_epsilon:
            return None
        what = (
            f"the training gradient's norm, {norm:.1e}, is below the optimizer's epsilon, "
            f"{seen.optimizer_epsilon:.1e}, which now decides the size of each step: "
            f"the weights hardly move"
        )
    elif seen.weight_norm is not None:
        least = EPSILON[seen.dtype] * seen.weight_norm
        if not norm <= least:
            return None
        what = (
            f"the training gradient's norm, {norm:.1e}, is below what {_loss_dtype(seen)} resolves "
            f"beside weights of norm {seen.weight_norm:.3g} ({least:.1e}): a step no longer "
            f"changes them"
        )
    else:
        return None
    return Finding(
        "vanished_gradients",
        f"{what}; {_more_decay(seen)}, or lower model.init_scale if this came at the start.",
    )


def _loss_dtype(seen: Observation) -> str:
    return "float32" if seen.dtype.startswith("mixed_") else seen.dtype


def _more_decay(seen: Observation) -> str:
    now = "" if seen.weight_decay is None else f" (now {seen.weight_decay:g})"
    return f"raise optimizer.weight_decay{now}"


def _percent(share: float) -> str:
    """Whole percents, but 100 only for all of them."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.3g} %"


class Diagnostician:
    """Turns findings into events, each cause once a run, at the evaluation where it begins."""

    def __init__(self) -> None:
        self.began: dict[str, int] = {}

    def update(self, observation: Observation) -> list[Event]:
        """The events that this evaluation begins: `detail.message` holds the words."""
        events = []
        for finding in diagnose(observation):
            if finding.cause in self.began:
                continue
            self.began[finding.cause] = observation.step
            detail: dict[str, Any] = {
                "confirmed_step": observation.step,
                "message": finding.message,
                "zero_loss_share": observation.zero_loss_share,
                "gradient_norm": observation.gradient_norm,
            }
            detail = {key: value for key, value in detail.items() if value is not None}
            events.append(Event(observation.step, finding.cause, detail))
        return events

    def state_dict(self) -> dict[str, Any]:
        """JSON-able state."""
        return {"version": _STATE_VERSION, "began": dict(self.began)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave.

        Raises:
            UserError: it is of a version unknown here.
        """
        if state.get("version") != _STATE_VERSION:
            raise UserError(
                f"Diagnosis state of version {_STATE_VERSION} expected; "
                f"received {state.get('version')!r}."
            )
        self.began = {str(cause): int(step) for cause, step in state["began"].items()}
