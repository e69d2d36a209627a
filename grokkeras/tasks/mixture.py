"""Several operations of modular arithmetic in one model, told apart by the operation's token.

All share the tokens of the numbers, so what is learnt about a number serves every operation.
Each operation is split by itself, with the fractions asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.modular import ResidueCodec, check_operation, first_b
from grokkeras.tasks.modular_operations import TITLES
from grokkeras.tasks.modular_structure import ModularStructure
from grokkeras.tasks.operands import PairLayout
from grokkeras.tasks.options import SplitOptions, read_options


@dataclass(frozen=True)
class MixtureOptions(SplitOptions):
    """Options of `modular_mixture`; the fields of the configuration's `task`."""

    operations: Sequence[str] = ("add", "multiply")
    modulus: int = 97


@dataclass(frozen=True)
class MixtureCodec:
    """Encodes two residues and the name of an operation; the answer is a residue."""

    layout: PairLayout
    operations: tuple[str, ...]

    def encode(self, **operands: Any) -> np.ndarray:
        """Tokens of a, b and `operation`, (length,) int32."""
        name = operands.pop("operation", None)
        if name not in self.operations:
            known = ", ".join(self.operations)
            raise UserError(f"operation must be one of {known}; received {name!r}.")
        alone = PairLayout(self.layout.size, self.layout.format, first_b(name))
        a, b = ResidueCodec(alone).operands(operands)
        return self.layout.row(a, b, self.operations.index(name))

    def answer(self, label: int) -> int:
        """The residue itself."""
        return label


@TASKS.register("modular_mixture")
def modular_mixture(options: object, seed: int) -> TaskData:
    """All pairs of residues under each operation, as `a op b =`.

    Args:
        options: see `MixtureOptions`.
        seed: of the splits.

    Returns:
        The task; its `part_names` are the operations.

    Raises:
        UserError: fewer than two operations, one of them twice, or one that
            `modular_arithmetic` would refuse.
    """
    chosen = read_options(MixtureOptions, options)
    operations, modulus = tuple(chosen.operations), chosen.modulus
    if len(operations) < 2 or len(set(operations)) < len(operations):
        raise UserError(
            f"task.operations must hold two different operations at least, received "
            f"{list(operations)!r}. For one use the task modular_arithmetic."
        )
    for operation in operations:
        check_operation(operation, modulus)
    layout = PairLayout(modulus, "a op b =", num_operations=len(operations))
    structure = ModularStructure(layout, operations)
    pairs = [
        (*PairLayout(modulus, first_b=first_b(operation)).all_pairs(), place)
        for place, operation in enumerate(operations)
    ]
    x = np.concatenate([layout.rows(a, b, place) for a, b, place in pairs])
    names = [TITLES.get(operation, operation) for operation in operations]
    return TaskData(
        "modular_mixture",
        x,
        structure.labels(x),
        num_classes=modulus,
        seed=seed,
        vocab_size=layout.vocab_size,
        token_ranges=layout.token_ranges,
        title=f"{', '.join(names[:-1])} and {names[-1]} mod {modulus}",
        codec=MixtureCodec(layout, operations),
        structure=structure,
        **chosen.split(),
    )
