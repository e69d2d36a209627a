"""What a network learned, read from its weights: frequencies, circles, representations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grokkeras.errors import GrokkerasError
from grokkeras.measures import CyclicGroup, fourier_power, key_frequencies, representation_power
from grokkeras.measures.groups import operand_table
from grokkeras.report.drawing import RUNS, Drawing
from grokkeras.run_folder import RunFolder, RunRecord


@dataclass(frozen=True)
class Network:
    """What the best weights of a run show.

    Attributes:
        kind: `frequency` or `representation`.
        names: of the frequencies or representations.
        shares: of the power of the operands' embedding, in the same order.
        key: places of those that stand out of the others.
        table: (n, channels) the embedding, a row an element of the group.
        labels: what each element is called.
    """

    kind: str
    names: list[str]
    shares: np.ndarray
    key: list[int]
    table: np.ndarray
    labels: list[str]


def read_network(record: RunRecord) -> Network | None:
    """Reads the best weights of a run's newest checkpoint; None where they tell nothing.

    Only the arrays are read: no model is built and no Keras imported.
    """
    from grokkeras.runner.task_groups import task_group
    from grokkeras.tasks import make_task

    try:
        folder = RunFolder.open(record.path, require_backend=False)
        checkpoint, _ = folder.checkpoints().load_newest()
        if checkpoint is None or checkpoint.best is None:
            return None
        group = task_group(folder.config.task, make_task(folder.config.task, folder.config.seed))
    except (GrokkerasError, OSError, ValueError):
        return None
    if group is None:
        return None
    names = sorted(name for name in checkpoint.best if name.startswith("weights/"))
    weights = [np.asarray(checkpoint.best[name]) for name in names]
    # Without paths: in our models the table that operands enter by is the first matrix.
    if isinstance(group, CyclicGroup):
        table = operand_table(names, weights, group.first)
        return None if table is None else _cyclic(table, [str(t) for t in group.first])
    table = operand_table(names, weights, np.arange(group.order))
    return None if table is None else _symmetric(table, group.permutations)


def _cyclic(table: np.ndarray, labels: list[str]) -> Network:
    power = fourier_power(table)
    names = [str(place + 1) for place in range(len(power))]
    key = [frequency - 1 for frequency in key_frequencies(power)]
    return Network("frequency", names, _shares(power), key, table, labels)


def _symmetric(table: np.ndarray, permutations: np.ndarray) -> Network:
    power = representation_power(table, permutations)
    names = ["+".join(map(str, shape)) for shape in power]
    values = np.array(list(power.values()))
    key = [frequency - 1 for frequency in key_frequencies(values)]
    labels = ["".join(str(each + 1) for each in row) for row in permutations]
    return Network("representation", names, _shares(values), key, table, labels)


def _shares(power: np.ndarray) -> np.ndarray:
    return power / (power.sum() or 1.0)


def in_words(network: Network) -> str:
    """One or two sentences on it."""
    shown = ", ".join(network.names[place] for place in network.key)
    held = 100 * float(network.shares[network.key].sum())
    flat = 1 / len(network.names)
    if network.kind == "representation":
        if not network.key:
            return "No irreducible representation stands out in the embedding of the permutations."
        return (
            f"Of the embedding of the permutations, {held:.0f} % lies in the representations "
            f"{shown} (each per dimension; {100 * flat:.0f} % each would be chance)."
        )
    if not network.key or len(network.key) > len(network.names) / 3:
        largest = int(np.argmax(network.shares))
        return (
            f"No small set of the {len(network.names)} frequencies dominates the embedding of the "
            f"operands (largest: {network.names[largest]}, with "
            f"{100 * float(network.shares[largest]):.0f} % of its power; an even share is "
            f"{100 * flat:.1f} %). A network that has learned modular addition keeps to a few, "
            f"each of which lays the numbers out on a circle. This one has memorized, or learned "
            f"nothing."
        )
    if held < 50:
        which = (
            f"Frequency {shown} stands" if len(network.key) == 1 else f"Frequencies {shown} stand"
        )
        return (
            f"{which} out of {len(network.names)} in the embedding of the operands, with only "
            f"{held:.0f} % of its power, where chance would be "
            f"{100 * flat * len(network.key):.0f} %: a general solution may be forming, but most "
            f"of the embedding is something else."
        )
    return (
        f"The embedding of the operands lives on {len(network.key)} of {len(network.names)} "
        f"frequencies ({shown}), which hold {held:.0f} % of its power, where chance would be "
        f"{100 * flat * len(network.key):.0f} %: numbers are laid out on circles, and adding them "
        f"is a rotation."
    )


def spectrum_figure(network: Network, width: float = 380, height: float = 250) -> Drawing:
    """Power by frequency or representation, as bars."""
    drawing = Drawing(width, height, f"Power of the embedding by {network.kind}")
    left, right, top, bottom = 46.0, width - 8, 20.0, height - 40
    highest = float(network.shares.max()) or 1.0
    for share in (0.0, highest / 2, highest):
        y = bottom - share / highest * (bottom - top)
        drawing.line([(left, y), (right, y)], "grid")
        drawing.text(left - 6, y + 4, f"{100 * share:.0f} %", "dim", 11, "end")
    room = (right - left) / len(network.shares)
    for place, share in enumerate(network.shares):
        tall = float(share) / highest * (bottom - top)
        color = "run-1" if place in network.key else "run-0"
        x = left + (place + 0.15) * room
        drawing.rect(x, bottom - tall, max(0.7 * room, 1.0), max(tall, 0.3), color)
    every = max(1, math.ceil(len(network.names) / 12))
    for place in range(every - 1 if every > 1 else 0, len(network.names), every):
        x = left + (place + 0.5) * room
        drawing.text(x, bottom + 15, network.names[place], "dim", 10, "middle")
    drawing.text((left + right) / 2, bottom + 33, network.kind, "dim", 11, "middle")
    drawing.text((left + right) / 2, 12, "share of the embedding's power", "dim", 11, "middle")
    return drawing


def circle_figure(network: Network, frequency: int, size: float = 250) -> Drawing:
    """The embedding seen along one frequency: a circle, where the network has learned it.

    Args:
        network: of a cyclic group.
        frequency: 1 or more.
        size: in points.
    """
    drawing = Drawing(size, size, f"Embedding along frequency {frequency}")
    n = len(network.table)
    angles = 2 * np.pi * frequency * np.arange(n) / n
    table = network.table - network.table.mean(axis=0)
    # The two directions of the embedding in which this frequency turns.
    directions = np.stack([np.cos(angles) @ table, np.sin(angles) @ table])
    basis = np.linalg.qr(directions.T.astype(np.float64))[0]
    points = table @ basis
    scale = (size / 2 - 30) / (float(np.abs(points).max()) or 1.0)
    places = [(size / 2 + x * scale, size / 2 - y * scale) for x, y in points]
    # In the order of the angle, so that the line goes once round.
    order = [int(k) for k in np.argsort((np.arange(n) * frequency) % n, kind="stable")]
    drawing.line([places[k] for k in [*order, order[0]]], "grid", 1)
    for place, k in enumerate(order):
        color = f"run-{min(RUNS - 1, place * RUNS // n)}"
        drawing.dot(*places[k], 3.2, color, network.labels[k])
    drawing.text(size / 2, 14, f"frequency {frequency}", "dim", 11, "middle")
    return drawing


def figures(network: Network) -> dict[str, Drawing]:
    """Every figure of a network, by file name."""
    found = {"spectrum": spectrum_figure(network)}
    if network.kind == "frequency":
        for place in network.key[:3]:
            found[f"circle-{place + 1}"] = circle_figure(network, place + 1)
    return found
