"""Which curve of which run a tag of an event file is.

Ours, Keras' own `TensorBoard` callback and most others write `RUN/train` and `RUN/validation` with
the same tags; some write one run with `train_loss`, `val_loss` or `train/loss`, `val/loss`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TRAIN = "train"
VALIDATION = "val"

_SPLITS = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "eval": VALIDATION,
    "test": VALIDATION,
}
_ACCURACIES = (
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)
_FOLDER = "tensorboard"


@dataclass(frozen=True)
class CurveName:
    """A curve's place.

    Attributes:
        run: the run's folder below the log directory; empty for the log directory itself.
        split: `train` or `val`.
        name: `accuracy`, `loss`, or the tag itself; without the folder `measures/`.
        exact: whether it is called so, not `test` for validation or `acc` for accuracy: such a
            curve stands in where there is no other.
    """

    run: str
    split: str
    name: str
    exact: bool = field(default=True, compare=False)

    @property
    def key(self) -> str:
        """`SPLIT/NAME`, the curve's key within its run."""
        return f"{self.split}/{self.name}"


def curve_name(event_run: str, tag: str) -> CurveName:
    """The curve that `tag` of an event-file run belongs to.

    Args:
        event_run: as TensorBoard names it: the folder below the log directory, `.` for itself.
        tag: the scalar's tag.
    """
    parts = [part for part in event_run.replace("\\", "/").split("/") if part not in ("", ".")]
    split, exact = TRAIN, True
    if parts and parts[-1].lower() in _SPLITS:
        word = parts.pop().lower()
        split, exact = _SPLITS[word], word != "test"
    if parts and parts[-1] == _FOLDER:
        parts.pop()
    name = tag.removeprefix("epoch_").removeprefix("measures/")
    for mark in ("/", "_"):
        first, found, rest = name.partition(mark)
        if found and rest and first.lower() in _SPLITS:
            split, name, exact = _SPLITS[first.lower()], rest, first.lower() != "test"
            break
    if name in _ACCURACIES:
        name, exact = "accuracy", False
    return CurveName("/".join(parts), split, name, exact)
