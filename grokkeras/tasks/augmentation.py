"""More training examples by a task's own symmetries.

    task = tasks.make_task({"name": "modular_arithmetic", "pool_fraction": 0.3,
                            "augment": ["commute"]}, seed=0)
    task = tasks.augmented(task, ["translate", my_symmetry])

A symmetry turns a training example into another example whose label follows from the first. It
is checked against the labels before it is used. Only the training split grows, from training
examples alone, and no input that stands in validation or test is ever added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from grokkeras.errors import UserError, nearest_name
from grokkeras.tasks.base import Split, TaskData
from grokkeras.tasks.rows import RowKeys, SeenRows
from grokkeras.tasks.structure import Symmetry
from grokkeras.tasks.symmetry_check import check_symmetries


def augmented(task: TaskData, symmetries: Iterable[str | Symmetry]) -> TaskData:
    """The task with the images of its training examples added to the training split.

    The symmetries are applied one after the other, each to the training examples and all images
    so far, so their compositions in this order take part. What was in the training split stays
    in place; images that stand there already are not repeated.

    Args:
        task: its labels must be true: add label noise afterwards.
        symmetries: names that the task declares, or symmetries of your own. Neighbours with the
            same name count as one symmetry with several maps.

    Returns:
        A new task; `notes` tells how many examples were added and left out.

    Raises:
        UserError: the task declares no symmetry of a name, or one does not hold; names a
            counter-example.
    """
    families = _families(task, list(symmetries))
    x, y = task.train.x, task.train.y
    seen = SeenRows(RowKeys(task.vocab_size, task.length))
    seen.add(x)
    for family in families:
        check_symmetries(task, family)
        found = [(x, y)]
        for symmetry in family:
            images, labels = symmetry.inputs(x), symmetry.labels(x, y)
            new = seen.add(images)
            found.append((images[new].astype(x.dtype), labels[new].astype(y.dtype)))
        x, y = (np.concatenate(each) for each in zip(*found, strict=True))
    own = len(task.train)
    kept_out = task.held_out(x)
    kept_out[:own] = False
    return task.changed(
        train=Split(x[~kept_out], y[~kept_out]),
        note=_note(families, len(x) - own - int(kept_out.sum()), int(kept_out.sum())),
    )


def _families(task: TaskData, symmetries: Sequence[str | Symmetry]) -> list[list[Symmetry]]:
    known = task.structure.symmetries()
    members: list[Symmetry] = []
    for each in symmetries:
        if isinstance(each, Symmetry):
            members.append(each)
        elif each in known:
            members += task.structure.members(each)
        else:
            near = nearest_name(str(each), known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise UserError(
                f"task.augment: {task.name} declares no symmetry {each!r} here.{hint} Known: "
                f"{', '.join(known) or 'none'}. A symmetry of your own: "
                f"tasks.augmented(task, [tasks.Symmetry(name, inputs, labels)])."
            )
    return [list(family) for _, family in groupby(members, attrgetter("name"))]


def _note(families: list[list[Symmetry]], added: int, kept_out: int) -> str:
    names = ", ".join(family[0].name for family in families)
    return (
        f"{added:,} of the training examples added by {names} ({kept_out:,} images left out, "
        "which stand in validation or test)"
    )
