"""Whether a symmetry holds, by looking: at every input of the task, or at a sample of many.

Tasks with a rule are checked against the rule. Of plain data only training and validation labels
are looked at, never the test's, so a symmetry whose images are not among them goes unchecked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TaskData
from grokkeras.tasks.rows import RowKeys
from grokkeras.tasks.splits import generator, shuffled
from grokkeras.tasks.structure import Symmetry

# Images checked of one symmetry; a seeded sample of the rows where there would be more.
MOST_IMAGES = 2**21
_CHECK_STREAM = 103
_SHOWN_NUMBERS = 24


def check_symmetries(task: TaskData, symmetries: Sequence[Symmetry]) -> int:
    """Refuses symmetries that do not hold for a task.

    Args:
        task: with true labels.
        symmetries: the maps of one symmetry.

    Returns:
        How many images were compared with a label.

    Raises:
        UserError: an image is no input of the task, or has another label than the symmetry says;
            shows the example.
    """
    rows = max(64, MOST_IMAGES // max(1, len(symmetries)))
    x, y = _examples(task)
    if len(x) > rows:
        chosen = np.sort(shuffled(generator(0, _CHECK_STREAM), len(x))[:rows])
        x, y = x[chosen], y[chosen]
    compared = 0
    for symmetry in symmetries:
        images = np.asarray(symmetry.inputs(x.copy()))
        expected = np.asarray(symmetry.labels(x.copy(), y.copy()))
        _check_inputs(task, symmetry, x, images)
        places, actual = _true_labels(task, images)
        wrong = np.flatnonzero(expected[places] != actual)
        if len(wrong):
            at = places[wrong[0]]
            raise UserError(
                f"The symmetry {symmetry.name!r} does not hold for {task.name}: {_shown(x[at])} "
                f"has the label {y[at]}, so its image {_shown(images[at])} would have the label "
                f"{expected[at]}, but has {actual[wrong[0]]}."
            )
        compared += len(places)
    return compared


def _examples(task: TaskData) -> tuple[np.ndarray, np.ndarray]:
    splits = [task.train, task.val, task.pool_split()]
    x = np.concatenate([split.x for split in splits])
    by_rule = task.structure.labels(x)
    if by_rule is not None:
        # The rule gives the labels of the test's inputs too, so nothing there is looked at.
        x = np.concatenate([x, task.test_split().x])
        by_rule = task.structure.labels(x)
        assert by_rule is not None
        return x, by_rule
    return x, np.concatenate([split.y for split in splits])


def _check_inputs(task: TaskData, symmetry: Symmetry, x: np.ndarray, images: np.ndarray) -> None:
    if images.shape != x.shape:
        raise UserError(
            f"The symmetry {symmetry.name!r} must map rows of shape {x.shape} to rows of the same "
            f"shape, and gave {images.shape}."
        )
    if task.token_ranges is None:
        outside = ~np.isfinite(images).all(axis=1)
    else:
        low, count = np.array(task.token_ranges).T
        outside = ((images < low) | (images >= low + count)).any(axis=1)
    if outside.any():
        at = int(np.argmax(outside))
        raise UserError(
            f"The symmetry {symmetry.name!r} does not hold for {task.name}: it makes of "
            f"{_shown(x[at])} the row {_shown(images[at])}, which is no input of the task."
        )


def _true_labels(task: TaskData, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of the images whose labels are known, and those labels."""
    by_rule = task.structure.labels(images)
    if by_rule is not None:
        return np.arange(len(images)), by_rule
    keys = RowKeys(task.vocab_size, task.length)
    x, y = _examples(task)
    known, first = np.unique(keys(x), return_index=True)
    wanted = keys(images.astype(x.dtype))
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    places = np.flatnonzero(known[at] == wanted)
    return places, y[first[at[places]]]


def _shown(row: np.ndarray) -> str:
    numbers = [f"{number:g}" for number in row[:_SHOWN_NUMBERS]]
    return f"[{', '.join(numbers)}{', ...' if len(row) > _SHOWN_NUMBERS else ''}]"
