"""Whether a metric is better when larger or when smaller, told by its name."""

from __future__ import annotations

import re

from grokkeras.errors import UserError

MODES = ("auto", "max", "min")
# Endings of Keras' own names, and of the names that people give to their metrics.
# fmt: off
_SMALLER = (
    "loss", "mse", "mae", "rmse", "mape", "msle", "error", "crossentropy", "perplexity",
    "divergence", "hinge", "logcosh", "huber", "nll", "bpb",
)
_LARGER = (
    "accuracy", "acc", "auc", "precision", "recall", "score", "f1", "iou", "r2", "similarity",
    "correct", "topk", "mcc", "exact_match", "specificity", "sensitivity",
)
# fmt: on


def detector_metric(train_metric: str, val_metric: str, mode: str = "auto") -> str:
    """`accuracy` (thresholds are lower bounds) or `loss` (upper bounds), for `Detector`.

    Args:
        train_metric, val_metric: keys of the logs, such as `accuracy` and `val_accuracy`.
        mode: `max`: larger is better; `min`: smaller is; `auto`: told by the names. Default auto.

    Raises:
        UserError: the mode is unknown, a name does not tell, or the two names disagree.
    """
    if mode not in MODES:
        raise UserError(f"mode is one of {', '.join(MODES)}; received {mode!r}.")
    if mode != "auto":
        return "accuracy" if mode == "max" else "loss"
    train, val = _direction(train_metric), _direction(val_metric)
    if train != val:
        raise UserError(
            f"train_metric={train_metric!r} is better when {train}, but val_metric={val_metric!r} "
            f"when {val}: name the same metric twice, or pass mode='max' or mode='min'."
        )
    return "accuracy" if train == "larger" else "loss"


def _direction(name: str) -> str:
    # Keras numbers the metrics of a second model in one process: `auc_1`.
    stem = re.sub(r"_\d+$", "", name.lower())
    if stem.endswith(_SMALLER):
        return "smaller"
    if stem.endswith(_LARGER) or re.search(r"(accuracy|acc|recall|precision)(_?at)?_?\d*$", stem):
        return "larger"
    raise UserError(
        f"The name {name!r} does not tell whether larger is better: pass mode='max' (thresholds "
        f"are lower bounds) or mode='min' (upper bounds)."
    )
