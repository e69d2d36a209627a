"""What a run will need of the machine's memory, estimated before anything is built.

The estimate is for a processor; it is meant to refuse what cannot fit, not to be exact. For
`grokkeras run` with five models on three backends it lay between 1.05 and 1.75 times the measured
peak of the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grokkeras.config.model_options import MLP, Transformer
from grokkeras.config.parameters import count_parameters, mlp_inputs, spoken_counts
from grokkeras.config.schema import RunConfig
from grokkeras.config.shape import TaskShape, task_shape

# Peak of a run with a model of no size, measured with a little to spare. On JAX and PyTorch nearly
# half of it is TensorFlow, which Keras imports to save model.keras wherever it is installed.
BACKEND_BYTES = {"tensorflow": 1000 << 20, "jax": 950 << 20, "torch": 1020 << 20}
# Rows of one evaluation call: bounds memory where the data are large.
EVALUATION_ROWS = 16_384
_ITEM_BYTES = {"float64": 8, "bfloat16": 2}
# Building and splitting a task holds some whole-number arrays of one entry an example for a while.
_BUILDING_BYTES = 64


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes, by what they are for.

    Attributes:
        num_parameters: trainable weights.
        backend: the framework itself.
        weights: weights, gradients, optimizer state, and their copies for a checkpoint.
        data: examples, on the host and on the device.
        training: intermediate values of one training step.
        evaluation: intermediate values of one evaluation call.
    """

    num_parameters: int
    backend: int
    weights: int
    data: int
    training: int
    evaluation: int

    @property
    def total(self) -> int:
        """The peak: before the first step, that one and two evaluations are called side by side."""
        running = self.training + 2 * self.evaluation
        return self.backend + self.weights + self.data + running

    @property
    def parts(self) -> dict[str, int]:
        """Bytes by the words a user reads."""
        return {
            "backend": self.backend,
            "weights and optimizer": self.weights,
            "data": self.data,
            "training step": self.training,
            "evaluation": self.evaluation,
        }

    @property
    def largest(self) -> str:
        """The name of the largest part that the configuration decides."""
        parts = {name: size for name, size in self.parts.items() if name != "backend"}
        return max(parts, key=lambda name: parts[name])


def estimate_memory(config: RunConfig, shape: TaskShape | None = None) -> MemoryEstimate:
    """Estimates the peak memory of a run.

    Args:
        config: the run's configuration.
        shape: the data's sizes; needed for `arrays`, computed for every other task.

    Returns:
        The estimate.

    Raises:
        ValueError: the task is `arrays` and no shape was given.
    """
    shape = shape or task_shape(config.task)
    if shape is None:
        raise ValueError("The sizes of 'arrays' are in its file: pass TaskShape.of_data(data).")
    item = _ITEM_BYTES.get(config.train.dtype, 4)
    parameters = count_parameters(config.model, shape)
    # Weights and optimizer state twice: JAX keeps its own, and a checkpoint takes a copy.
    copies = 2 * (1 + _slots(config.optimizer)) + 1
    batch = shape.num_train if config.train.batch_size == "full" else config.train.batch_size
    layers = [values * item for values in _layer_values(config.model, shape)]
    loss = 3 * shape.num_classes * (8 if config.loss.dtype == "float64" else 4)
    # A Jacobian's forward and backward pass are both kept, to be differentiated in turn.
    passes = 3 if config.loss.jacobian_weight else 1
    rows = min(EVALUATION_ROWS, max(shape.num_train, shape.num_val, shape.num_test))
    table = _table_values(config.model, shape) * item
    example = 4 * shape.length + 4
    return MemoryEstimate(
        num_parameters=parameters,
        backend=BACKEND_BYTES[config.backend],
        weights=parameters * item * copies,
        data=shape.num_examples * (2 * example + _BUILDING_BYTES),
        # Every layer's values are kept for the backward pass, and get gradients (measured: 2.5).
        training=passes * 5 * (batch * (sum(layers) + loss) + table) // 2,
        # An evaluation drops a layer's values when the next layer is done with them.
        evaluation=rows * (max(layers) + loss) + table,
    )


def memory_line(estimate: MemoryEstimate, available_bytes: int | None = None) -> str:
    """The estimate in one line for a person.

    Args:
        estimate: from `estimate_memory`.
        available_bytes: what the machine has left, or None if that is unknown.
    """
    parts = ", ".join(f"{name} {size_words(size)}" for name, size in estimate.parts.items())
    line = (
        f"Memory: about {size_words(estimate.total)} for {estimate.num_parameters:,} parameters "
        f"({parts})"
    )
    if available_bytes is not None:
        line += f"; {size_words(available_bytes)} available"
    return line


def size_words(size: int) -> str:
    """Bytes as a person writes them, such as `1.5 GB`."""
    for unit, bytes_each in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_each:
            number = size / bytes_each
            return f"{number:,.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"
    return f"{size / 1e6:.1f} MB"


def _slots(optimizer: Any) -> int:
    """Numbers that an optimizer and its transforms keep for each weight."""
    kept = sum(transform.slots for transform in optimizer.transforms)
    if optimizer.name == "sgd":
        return kept + (1 if optimizer.momentum else 0)
    return kept + (1 if optimizer.name == "lion" else 2)


def _layer_values(model: Transformer | MLP, shape: TaskShape) -> list[int]:
    """Intermediate values of one example in a forward pass, layer by layer."""
    if isinstance(model, MLP):
        hidden = [3 * model.width] * model.num_layers
        if model.encoding == "one_hot":  # a sum of kernel rows, one a position
            return [
                len(spoken_counts(shape)) * (model.width if hidden else shape.num_classes),
                *hidden,
            ]
        return [3 * mlp_inputs(model, shape), *hidden]
    length, width, hidden_width = shape.length, model.width, model.mlp_width
    scores = 2 * model.num_heads * length
    # Only the last block is computed at the last position alone.
    last = 4 * length * width + 7 * width + 2 * hidden_width + scores
    full = length * (9 * width + 2 * hidden_width + scores)
    return [full] * (model.num_layers - 1) + [last]


def _table_values(model: Transformer | MLP, shape: TaskShape) -> int:
    """Values that do not grow with the batch: the first block's projections, once a token."""
    if isinstance(model, MLP):
        return 0
    rows = sum(count for _, count in shape.token_ranges or ())
    return 6 * rows * model.width
