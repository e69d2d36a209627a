"""The embeddings of a run that has ended, at the end and at its best, for the Projector tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grokkeras.measures.groups import CyclicGroup, SymmetricGroup, operand_table
from grokkeras.measures.spectrum import fourier_power, key_frequencies
from grokkeras.runner.task_groups import task_group
from grokkeras.tasks import TaskData
from grokkeras.tasks.operands import PairLayout

if TYPE_CHECKING:
    from grokkeras.runner.session import Session

# A browser draws no more points, and the files would outgrow the run.
_NUMBERS = 1_000_000
_ANGLES = 3


def write_embeddings(
    session: Session, last: Sequence[np.ndarray], best: Sequence[np.ndarray]
) -> None:
    """Writes the embedding of the operands, or of all tokens where there are no operands.

    Nothing is written for features, and where the network has no row a token.

    Args:
        session: of a run whose event files are written.
        last: the trainable weights at the end.
        best: those at the best validation accuracy.
    """
    paths = [variable.path for variable in session.program.model.trainable_variables]
    group = task_group(session.config.task, session.task)
    tokens = _tokens(session.task, group)
    titles = {
        "best": (f"embedding at its best (step {session.best.step:,})", best),
        "last": (f"embedding at the end (step {session.step:,})", last),
    }
    tables = {}
    for name, (title, weights) in titles.items():
        table = None if tokens is None else _table(paths, weights, tokens, session.task)
        if table is None or table.size > _NUMBERS or not np.isfinite(table).all():
            continue
        tables[name] = (title, table)
    if tokens is None or not tables:
        return
    from grokkeras.logging.projector import write_projector

    best_table = next(iter(tables.values()))[1]
    frequencies = []
    if isinstance(group, CyclicGroup):
        frequencies = key_frequencies(fourier_power(best_table))[:_ANGLES]
    for frequency in frequencies[:1]:
        # The tab opens with the first table.
        title = f"along frequency {frequency} (step {session.best.step:,})"
        tables = {"circle": (title, circle(best_table, frequency)), **tables}
    labels = _labels(tokens, group, frequencies)
    write_projector(session.folder.tensorboard_dir, tables, labels)


def _tokens(task: TaskData, group: Any) -> np.ndarray | None:
    """Whose rows are shown: the first operand's tokens, in the order of a cyclic group."""
    if isinstance(group, CyclicGroup):
        return group.first
    layout = getattr(task.structure, "layout", None)
    if isinstance(layout, PairLayout):
        return np.arange(layout.size)
    return None if task.vocab_size is None else np.arange(task.vocab_size)


def _table(
    paths: Sequence[str], weights: Sequence[np.ndarray], tokens: np.ndarray, task: TaskData
) -> np.ndarray | None:
    if not isinstance(getattr(task.structure, "layout", None), PairLayout):
        # Without operands only an embedding of the whole vocabulary has a row a token.
        kept = [
            (path, weight)
            for path, weight in zip(paths, weights, strict=True)
            if "embedding" in path and len(weight) == task.vocab_size
        ]
        paths, weights = [path for path, _ in kept], [weight for _, weight in kept]
    return operand_table(paths, weights, tokens)


def circle(table: np.ndarray, frequency: int) -> np.ndarray:
    """An embedding seen along one frequency: a circle, where the network has learned it.

    The tab's principal components mix the frequencies, since a network gives several of them about
    the same room.

    Args:
        table: (n, channels), row k the vector of the element k of Z_n.
        frequency: 1 or more.

    Returns:
        (n, 3): the directions in which this frequency turns, and zeros, for a view of three axes.
    """
    table = np.asarray(table, np.float64)
    table = table - table.mean(axis=0)
    angles = 2 * np.pi * frequency * np.arange(len(table)) / len(table)
    directions = np.stack([np.cos(angles) @ table, np.sin(angles) @ table])
    points = table @ np.linalg.qr(directions.T)[0]
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def _labels(tokens: np.ndarray, group: Any, frequencies: Sequence[int]) -> dict[str, list[Any]]:
    """A name a row; in a cyclic group also where it stands on the circles that the network uses."""
    if isinstance(group, SymmetricGroup):
        rows = group.permutations + 1
        names = ["".join(map(str, row)) for row in rows]
        return {"permutation": names, "token": tokens.tolist()}
    labels: dict[str, list[Any]] = {"token": tokens.tolist()}
    if isinstance(group, CyclicGroup):
        places = np.arange(group.order)
        if not np.array_equal(places, tokens):
            labels["element"] = places.tolist()
        for frequency in frequencies:
            degrees = 360 * (places * frequency % group.order) / group.order
            labels[f"degrees at frequency {frequency}"] = degrees.round().astype(int).tolist()
    return labels
