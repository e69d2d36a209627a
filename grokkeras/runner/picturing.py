"""The pictures of a run: what TensorBoard's Images tab shows of its network.

    network/embedding          cyclic groups: the operands' embedding in its Fourier basis
    network/attention/BLOCK    transformers: the share that the answer's position gives to the first
                               operand, a tile a head, over pairs of operands; without operands its
                               mean share for each position, a row a head
    network/neurons/LAYER      tasks with two operands: the neurons that vary most, over pairs
    network/confusion          128 classes at most: true classes down, answers across

They are one group, since the tab opens no more than two. What a task or model does not have is left
out. No label of the test split is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokkeras.config import RunConfig
from grokkeras.logging.pictures import Picture, confusion_picture, fourier_picture, grid
from grokkeras.measures.groups import CyclicGroup, Group, operand_table
from grokkeras.runner.task_groups import task_group
from grokkeras.tasks import TaskData
from grokkeras.tasks.operands import PairLayout
from grokkeras.training.program import Program

# Of more operands, classes or channels a picture would grow beyond a few KB, and show no more.
_OPERANDS = 64
_CLASSES = 128
_CHANNELS = 128
_ORDER = 256
_NEURONS = 9
_HEADS = 9
_EXAMPLES = 4096


class Picturing:
    """Draws a run's network as it is.

    Args:
        config: the run's configuration.
        task: its data.
        program: its training state.
    """

    def __init__(self, config: RunConfig, task: TaskData, program: Program) -> None:
        self._program = program
        self._group: Group | None = task_group(config.task, task)
        self._pairs = _pairs(task, self._group)
        self._val_y = task.val.y[:_EXAMPLES]
        self._num_classes = task.num_classes
        rows = [] if self._pairs is None else [self._pairs.reshape(-1, task.length)]
        self._inputs = np.concatenate([*rows, task.val.x[:_EXAMPLES]])
        self._look: Any = None

    def pictures(self, named: Mapping[str, np.ndarray]) -> dict[str, Picture]:
        """Every picture that there is, by tag.

        Args:
            named: the trainable weights by their paths.
        """
        inside = self._inside()
        found = self._embedding(named)
        for name, shares in inside["attention"].items():
            found[f"network/attention/{name}"] = self._attention(shares[:, :_HEADS])
        if self._pairs is not None:
            for name, neurons in inside["neurons"].items():
                over = neurons[: -len(self._val_y)]
                most = np.argsort(-over.var(axis=0), kind="stable")[:_NEURONS]
                found[f"network/neurons/{name}"] = grid(_over_pairs(over[:, most], self._pairs))
        if self._num_classes <= _CLASSES:
            answers = inside["answers"]["logits"][-len(self._val_y) :].argmax(axis=-1)
            found["network/confusion"] = confusion_picture(self._val_y, answers, self._num_classes)
        return found

    def _embedding(self, named: Mapping[str, np.ndarray]) -> dict[str, Picture]:
        group = self._group
        if not isinstance(group, CyclicGroup) or group.order > _ORDER:
            return {}
        table = operand_table(list(named), list(named.values()), group.first)
        return {} if table is None else {"network/embedding": fourier_picture(table[:, :_CHANNELS])}

    def _attention(self, shares: np.ndarray) -> Picture:
        if self._pairs is None:
            return grid([shares.mean(axis=0)])
        return grid(_over_pairs(shares[: -len(self._val_y), :, 0], self._pairs))

    def _inside(self) -> dict[str, dict[str, np.ndarray]]:
        """What `look_inside` finds on the pairs, if there are any, and on validation examples."""
        from keras import ops

        self._program.to_model()
        if self._look is None:
            from grokkeras.keras_compat.compiled import compiled
            from grokkeras.models.inside import look_inside

            model = self._program.model
            self._look = compiled(model, lambda inputs: look_inside(model, inputs))
        return {
            kind: {
                name: np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))
                for name, tensor in tensors.items()
            }
            for kind, tensors in self._look(self._inputs).items()
        }


def _pairs(task: TaskData, group: Group | None) -> np.ndarray | None:
    """Inputs of pairs of operands, (a, b, length), or None where a task has no two operands.

    In a cyclic group operands stand in the order of its elements, so that periods are seen. In a
    mixture all pairs are those of its first operation.
    """
    if isinstance(group, CyclicGroup):
        inputs = group.inputs.reshape(group.order, group.order, -1)
        return inputs[:_OPERANDS, :_OPERANDS]
    layout = getattr(task.structure, "layout", None)
    if not isinstance(layout, PairLayout):
        return None
    a = np.arange(min(layout.size, _OPERANDS))
    b = np.arange(layout.first_b, min(layout.size, layout.first_b + _OPERANDS))
    first, second = np.meshgrid(a, b, indexing="ij")
    return layout.rows(first.ravel(), second.ravel()).reshape(len(a), len(b), -1)


def _over_pairs(values: np.ndarray, pairs: np.ndarray) -> list[np.ndarray]:
    """(pairs, tiles) to one map a tile: first operand down, second across."""
    return list(values.T.reshape(-1, *pairs.shape[:2]))
