"""What a task can be told: one class a task, chosen by `task.name`.

A task's own options stand first, how its examples are divided stands in `Splits`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from annotated_types import Ge, Le, Lt
from pydantic import Field

from grokkeras.config.base import Count, Fraction, Section
from grokkeras.config.data_options import SymmetryName, Teacher

TokenFormat = Literal["a b =", "a op b =", "a b"]
Operation = Literal[
    "add",
    "subtract",
    "multiply",
    "divide",
    "x2+y2",
    "x2+xy+y2",
    "x2+xy+y2+x",
    "x3+xy",
    "x3+xy2+y",
]


class Splits(Section):
    """How the examples are divided; what training and validation leave is the test split.

    Attributes:
        train_fraction: share of the examples to train on, above 0 and below 1. Default 0.4.
        val_fraction: share that steers detection and the choice of the best model. Default 0.3.
        stratify: keep the share of every class equal in the three splits.
        pool_fraction: share set aside, in no split, for augmentation and a teacher. Default 0.
        augment: symmetries of the task that make new training examples of the given ones.
        teacher: an earlier run that labels inputs of the pool; null: none.
        label_noise: share of the training labels made wrong, from 0 to below 1. Default 0.
    """

    train_fraction: Fraction = 0.4
    val_fraction: Fraction = 0.3
    stratify: bool = False
    pool_fraction: Annotated[float, Ge(0), Lt(1)] = 0.0
    augment: list[SymmetryName] = Field(default_factory=list)
    teacher: Annotated[
        Teacher | None, Field(description="a mapping with run and examples, or null")
    ] = None
    label_noise: Annotated[float, Ge(0), Lt(1)] = 0.0


class ModularArithmetic(Splits):
    """A polynomial of two residues modulo a number, such as (a + b) mod 97.

    Reference: Power et al. 2022, "Grokking: generalization beyond overfitting on small
    algorithmic datasets" (arXiv 2201.02177), appendix A.1.1.

    Attributes:
        operation: the polynomial; `divide` needs a prime modulus and leaves out b = 0.
        modulus: number of residues. Default 97.
        format: the tokens of one example, in order. `=` and `op` are tokens of their own.
    """

    name: Literal["modular_arithmetic"]
    operation: Operation
    modulus: Annotated[int, Ge(2), Le(10_000)] = 97
    format: TokenFormat = "a b ="


def _sum_and_product() -> list[Operation]:
    return ["add", "multiply"]


class ModularMixture(Splits):
    """Several operations of modular arithmetic in one model; a token tells which is asked for.

    Each operation is split by itself. The tokens of an example are `a op b =`.

    Attributes:
        operations: two of those of modular_arithmetic at least; `divide` needs a prime modulus.
        modulus: number of residues. Default 97.
    """

    name: Literal["modular_mixture"]
    operations: Annotated[
        list[Operation],
        Field(description=f"a list, each item one of {', '.join(get_args(Operation))}"),
    ] = Field(default_factory=_sum_and_product)
    modulus: Annotated[int, Ge(2), Le(10_000)] = 97


class SymmetricGroup(Splits):
    """Composition of two permutations of `degree` things: the group S3, S4, S5 or S6.

    Reference: Power et al. 2022 (arXiv 2201.02177), appendix A.1.1.

    Attributes:
        degree: how many things are permuted; the group has degree! elements. Default 5.
        operation: `ab`, the conjugate `aba'` or the word `aba`.
        format: the tokens of one example, in order.
    """

    name: Literal["symmetric_group"]
    degree: Annotated[int, Ge(3), Le(6)] = 5
    operation: Literal["ab", "aba'", "aba"] = "ab"
    format: TokenFormat = "a b ="


class SparseParity(Splits):
    """The parity of a few bits hidden among many that do not matter.

    Reference: Barak et al. 2022, "Hidden progress in deep learning" (arXiv 2207.08799).

    Attributes:
        num_bits: bits of one example. Default 20.
        num_relevant: how many of them the label is the parity of. Default 3.
        num_examples: distinct rows drawn from the 2**num_bits there are. Default 2000.
    """

    name: Literal["sparse_parity"]
    num_bits: Annotated[int, Ge(2), Le(10_000)] = 20
    num_relevant: Annotated[int, Ge(1), Le(10_000)] = 3
    num_examples: Count = 2000


class Arrays(Splits):
    """Your own arrays for classification, from an .npz file with `x` and `y`.

    Attributes:
        path: the .npz file; a relative path counts from the working directory.
        inputs: `tokens` (whole numbers), `features` (measurements), or `auto` by the dtype of x.
        stratify: True unless said otherwise, since such data often has rare classes.
    """

    name: Literal["arrays"]
    path: Annotated[str, Field(min_length=1, description="the path of an .npz file with x and y")]
    inputs: Literal["auto", "tokens", "features"] = "auto"
    stratify: bool = True


TaskOptions = Annotated[
    ModularArithmetic | ModularMixture | SymmetricGroup | SparseParity | Arrays,
    Field(discriminator="name"),
]
