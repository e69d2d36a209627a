"""What a task's data can be told beyond its own options: augmentation, teacher, noise, curriculum.

The names of symmetries and difficulties stand here as well as in `grokkeras.tasks`, which imports
NumPy; a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le
from pydantic import Field

from grokkeras.config.base import Count, Section, Steps

SymmetryName = Literal[
    "commute",
    "translate",
    "scale",
    "negate",
    "reflect",
    "balance",
    "other_root",
    "inverse",
    "conjugate",
    "complement",
]
DifficultyName = Literal[
    "operand_range", "operation", "inversions", "transpositions", "set_bits", "given"
]

_MODULAR: dict[str, tuple[str, ...]] = {
    "add": ("commute", "translate", "scale", "negate"),
    "subtract": ("commute", "translate", "scale", "negate"),
    "multiply": ("commute", "scale", "negate", "reflect", "balance"),
    "divide": ("scale", "negate", "reflect"),
    "x2+y2": ("commute", "scale", "negate", "reflect"),
    "x2+xy+y2": ("commute", "scale", "negate", "other_root"),
    "x2+xy+y2+x": ("other_root",),
    "x3+xy": ("reflect",),
    "x3+xy2+y": ("negate",),
}
_DIFFICULTIES: dict[str, tuple[str, ...]] = {
    "modular_arithmetic": ("operand_range",),
    "modular_mixture": ("operand_range", "operation"),
    "symmetric_group": ("inversions", "transpositions"),
    "sparse_parity": ("set_bits",),
    "arrays": ("given",),
}


def symmetries(task: Any) -> tuple[str, ...]:
    """The symmetries that a task declares; task: its options."""
    if task.name == "modular_arithmetic":
        return _MODULAR[task.operation]
    if task.name == "modular_mixture":
        declared = [_MODULAR[operation] for operation in task.operations]
        return tuple(name for name in declared[0] if all(name in other for other in declared))
    if task.name == "symmetric_group":
        return ("inverse", "conjugate") + (("balance",) if task.operation == "ab" else ())
    return ("complement",) if task.name == "sparse_parity" else ()


def symmetry_words(task_name: str) -> str:
    """The symmetries of a task of this name, in words: a list, one an operation, or none."""
    if task_name == "modular_arithmetic":
        return "; ".join(f"{name}: {', '.join(each)}" for name, each in _MODULAR.items())
    if task_name == "modular_mixture":
        return "those that all its operations have"
    if task_name == "symmetric_group":
        return "inverse, conjugate; ab: balance too"
    return {"sparse_parity": "complement", "arrays": "your own, in Python"}[task_name]


def difficulties(task_name: str) -> tuple[str, ...]:
    """The difficulties that a curriculum can go by, for a task of this name."""
    return _DIFFICULTIES[task_name]


class Teacher(Section):
    """An earlier run whose model labels inputs of the pool for the training split.

    Attributes:
        run: its folder; a relative path counts from the working directory.
        examples: a whole number of inputs, or a fraction of those in the pool. Default all.
    """

    run: Annotated[str, Field(min_length=1, description="the folder of a finished run")]
    examples: Annotated[
        Count | Annotated[float, Gt(0), Le(1)],
        Field(
            description="a whole number of inputs, or a fraction of the pool from above 0 to 1.0"
        ),
    ] = 1.0


class Curriculum(Section):
    """Easy examples first: batches are drawn from the easiest share of the training split.

    The share grows with the step (`steps`), or by stages with the model's accuracy (`until`).

    Attributes:
        by: what makes an example hard, by the task's own measure.
        start: share of the training examples admitted at first. Default 0.2.
        end: share admitted at last. Default 1.
        steps: optimizer steps from start to end, evenly.
        until: accuracy on the admitted examples at which the next stage begins.
        stages: equal stages from start to end, with `until`. Default 5.
    """

    by: Annotated[
        DifficultyName, Field(description=f"one of {', '.join(get_args(DifficultyName))}")
    ]
    start: Annotated[float, Gt(0), Le(1)] = 0.2
    end: Annotated[float, Gt(0), Le(1)] = 1.0
    steps: Steps | None = None
    until: Annotated[float, Gt(0), Le(1)] | None = None
    stages: Annotated[int, Ge(2), Le(1000)] | None = None
