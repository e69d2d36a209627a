"""Sparse parity: the XOR of k hidden bits among n (Barak et al. 2022, arXiv 2207.08799).

Each example is a row of n bits as tokens 0 and 1; the label says whether an odd number of the
relevant bits is set. Which bits are relevant is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.options import SplitOptions, read_options
from grokkeras.tasks.splits import DRAW_STREAM, generator, shuffled
from grokkeras.tasks.structure import Structure, Symmetry


@dataclass(frozen=True)
class ParityOptions(SplitOptions):
    """Options of `sparse_parity`; the fields of the configuration's `task`."""

    num_bits: int = 20
    num_relevant: int = 3
    num_examples: int = 2000


@dataclass(frozen=True)
class Complement:
    """Flips every bit: the parity of k relevant bits changes where k is odd."""

    num_relevant: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The rows with every bit flipped."""
        return 1 - x

    def labels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The labels of those rows."""
        return (y + self.num_relevant) % 2


@dataclass(frozen=True)
class ParityStructure(Structure):
    """See `Structure`.

    Flipping an irrelevant bit, or two relevant ones, keeps the label as well, but is not
    declared: such examples would tell which bits are relevant, and that is all there is to learn.
    To flip all bits needs their number alone.

    Attributes:
        relevant: positions of the relevant bits.
    """

    relevant: tuple[int, ...]

    def labels(self, x: np.ndarray) -> np.ndarray:
        return x[:, list(self.relevant)].sum(axis=1) % 2

    def symmetries(self) -> tuple[str, ...]:
        return ("complement",)

    def members(self, name: str) -> Iterator[Symmetry]:
        flip = Complement(len(self.relevant))
        yield Symmetry(name, flip, flip.labels)

    def difficulties(self) -> tuple[str, ...]:
        return ("set_bits",)

    def difficulty(self, name: str, x: np.ndarray) -> np.ndarray:
        """`set_bits`: how many of all bits are 1, whether they matter or not."""
        return x.sum(axis=1).astype(np.float64)


def distinct_rows(rng: np.random.Generator, count: int, num_bits: int) -> np.ndarray:
    """`count` different rows of bits, each set of rows as likely as another.

    Args:
        rng: the source of randomness.
        count: number of rows, at most 2**num_bits.
        num_bits: bits a row.

    Returns:
        (count, num_bits) int32 of 0 and 1.
    """
    if 2**num_bits <= max(4 * count, 2**16):
        words = shuffled(rng, 2**num_bits)[:count, None].astype(np.uint64)
    else:
        # Few of very many: repeats are rare, so draw until enough different rows have come.
        per_row = -(-num_bits // 64)
        words = np.empty((0, per_row), dtype=np.uint64)
        while len(words) < count:
            drawn = rng.bit_generator.random_raw(2 * count * per_row).reshape(-1, per_row)
            drawn[:, -1] >>= np.uint64(64 * per_row - num_bits)
            words = np.concatenate([words, drawn])
            _, first = np.unique(words, axis=0, return_index=True)
            words = words[np.sort(first)]
        words = words[:count]
    bit = np.arange(num_bits)
    shift = (bit % 64).astype(np.uint64)
    return ((words[:, bit // 64] >> shift) & np.uint64(1)).astype(np.int32)


def relevant_bits(rng: np.random.Generator, num_bits: int, num_relevant: int) -> np.ndarray:
    """The positions whose XOR is the label: (num_relevant,) ascending, 0 the first."""
    return np.sort(shuffled(rng, num_bits)[:num_relevant])


@TASKS.register("sparse_parity")
def sparse_parity(options: object, seed: int) -> TaskData:
    """Distinct rows of bits, labelled with the parity of a few of them.

    Args:
        options: see `ParityOptions`.
        seed: of the relevant bits, the rows and the split.

    Returns:
        The task; two tokens, two classes.

    Raises:
        UserError: more relevant bits than bits, or more examples than distinct rows.
    """
    chosen = read_options(ParityOptions, options)
    num_bits, num_examples = chosen.num_bits, chosen.num_examples
    if num_bits < 1 or not 1 <= chosen.num_relevant <= num_bits:
        raise UserError(
            f"task.num_relevant must lie between 1 and task.num_bits ({num_bits}), "
            f"received {chosen.num_relevant!r}."
        )
    if not 1 <= num_examples <= 2**num_bits:
        raise UserError(
            f"task.num_examples must lie between 1 and 2**{num_bits}, the number of different "
            f"rows of {num_bits} bits; received {num_examples!r}."
        )
    rng = generator(seed, DRAW_STREAM)
    relevant = relevant_bits(rng, num_bits, chosen.num_relevant)
    x = distinct_rows(rng, num_examples, num_bits)
    structure = ParityStructure(tuple(relevant.tolist()))
    places = ", ".join(str(bit) for bit in relevant)
    return TaskData(
        "sparse_parity",
        x,
        structure.labels(x),
        num_classes=2,
        seed=seed,
        vocab_size=2,
        token_ranges=((0, 2),) * num_bits,
        title=f"parity of {chosen.num_relevant} bits ({places}) among {num_bits}",
        structure=structure,
        **chosen.split(),
    )
