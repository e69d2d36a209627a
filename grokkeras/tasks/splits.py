"""Splits into train, validation and test: disjoint, complete, the same for the same seed.

All random choices of the tasks are made from the raw 64-bit output of PCG64. NumPy fixes that
stream for good (NEP 19), while `Generator.permutation` may change between releases, so a seed
means the same split on every machine, NumPy release and backend.
"""

from __future__ import annotations

import numpy as np

from grokkeras.errors import UserError

# Each purpose draws from a stream of its own, so that drawing more for one (say, more examples)
# leaves the others as they were. The numbers only have to differ from every other stream's.
SPLIT_STREAM = 101
DRAW_STREAM = 102


def generator(seed: int, stream: int, part: int = 0) -> np.random.Generator:
    """The generator of one purpose (`stream`) of a run with this seed, for one part of it."""
    entropy = [seed, stream, part] if part else [seed, stream]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def shuffled(rng: np.random.Generator, count: int) -> np.ndarray:
    """A random order of 0..count-1, shape (count,), from the raw stream of `rng`."""
    return np.argsort(rng.bit_generator.random_raw(count), kind="stable")


def split_counts(count: int, train_fraction: float, val_fraction: float) -> tuple[int, int, int]:
    """How many of `count` examples go to train, validation and test.

    Args:
        count: number of examples.
        train_fraction: share to train on, between 0 and 1.
        val_fraction: share to validate on; the rest is test.

    Returns:
        (round(train_fraction * count), round(val_fraction * count), the rest).

    Raises:
        UserError: a fraction is out of range, or one of the three would be empty.
    """
    for name, fraction in (("train_fraction", train_fraction), ("val_fraction", val_fraction)):
        if not 0.0 < fraction < 1.0:
            raise UserError(f"task.{name} must lie between 0 and 1, received {fraction!r}.")
    train = round(train_fraction * count)
    val = round(val_fraction * count)
    test = count - train - val
    if min(train, val, test) < 1:
        raise UserError(
            f"Train, validation and test need one example each at least; of {count:,} examples "
            f"train_fraction {train_fraction:g} and val_fraction {val_fraction:g} leave "
            f"{train:,}, {val:,} and {max(test, 0):,}. Use fractions whose sum stays below 1, or "
            "more examples."
        )
    return train, val, test


def split_indices(
    labels: np.ndarray,
    train_fraction: float,
    val_fraction: float,
    seed: int,
    stratify: bool = False,
    part: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which examples are for training, validation and test.

    Args:
        labels: (n,) integer labels. Read only if `stratify`.
        train_fraction: share of the examples to train on.
        val_fraction: share to validate on; the rest is test.
        seed: the run's seed.
        stratify: give every label its share of each part, to within one example wherever the
            label still has one to give.
        part: of a mixture; each is split by a draw of its own.

    Returns:
        Three index arrays in random order; together they hold each of 0..n-1 once.

    Raises:
        UserError: see `split_counts`.
    """
    count = len(labels)
    sizes = split_counts(count, train_fraction, val_fraction)
    rng = generator(seed, SPLIT_STREAM, part)
    order = shuffled(rng, count)
    if stratify:
        order = _stratified(order, labels, sizes, rng)
    train, val, test = np.split(order, [sizes[0], sizes[0] + sizes[1]])
    return train, val, test


def split_in_parts(
    labels: np.ndarray,
    parts: np.ndarray,
    fractions: tuple[float, float, float],
    seed: int,
    stratify: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Splits each part of a mixture by itself, and sets a pool aside.

    The pool is taken from what would be the test split, so that training and validation are the
    same with any pool.

    Args:
        labels: (n,) integer labels.
        parts: (n,) which part each example belongs to, 0, 1, ...
        fractions: shares to train on, to validate on and of the pool.
        seed: the run's seed.
        stratify: see `split_indices`.

    Returns:
        Four index arrays: train, validation, test and pool.

    Raises:
        UserError: see `split_counts`; or the pool leaves nothing for the test.
    """
    train_fraction, val_fraction, pool_fraction = fractions
    if not 0.0 <= pool_fraction < 1.0:
        raise UserError(f"task.pool_fraction must lie between 0 and 1, received {pool_fraction!r}.")
    pieces: list[tuple[np.ndarray, ...]] = []
    for part in range(int(parts.max()) + 1):
        own = np.flatnonzero(parts == part)
        train, val, rest = split_indices(
            labels[own], train_fraction, val_fraction, seed, stratify, part
        )
        left = len(rest) - round(pool_fraction * len(own))
        if left < 1:
            raise UserError(
                f"Train, validation, pool and test need one example each at least; of "
                f"{len(own):,} examples task.pool_fraction {pool_fraction:g} leaves none for the "
                f"test. Use fractions whose sum stays below 1."
            )
        pieces.append(tuple(own[each] for each in (train, val, rest[:left], rest[left:])))
    train, val, test, pool = (np.concatenate(each) for each in zip(*pieces, strict=True))
    return train, val, test, pool


def _stratified(
    order: np.ndarray, labels: np.ndarray, sizes: tuple[int, int, int], rng: np.random.Generator
) -> np.ndarray:
    """`order` rearranged so that cutting it at `sizes` gives each label its share of each part."""
    _, label_of, have = np.unique(labels, return_inverse=True, return_counts=True)
    train = _apportion(sizes[0], have, have, rng)
    val = _apportion(sizes[1], have, have - train, rng)

    # Within each label, examples in shuffled order have ranks 0, 1, ...; rank decides the part.
    by_label = order[np.argsort(label_of[order], kind="stable")]
    starts = np.cumsum(have) - have
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_label] = np.arange(len(labels)) - np.repeat(starts, have)
    part = (rank >= train[label_of]).astype(np.int8) + (rank >= (train + val)[label_of])
    return order[np.argsort(part[order], kind="stable")]


def _apportion(
    seats: int, have: np.ndarray, room: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Shares `seats` among labels in proportion to `have`, by largest remainder, within `room`.

    Equal remainders are the rule for a group's labels, so ties go by lot, not to the low labels.
    """
    exact = seats * have / have.sum()
    given = np.minimum(np.floor(exact).astype(np.int64), room)
    lot = shuffled(rng, len(have))
    preference = lot[np.argsort(-(exact - given)[lot], kind="stable")]
    while (missing := seats - int(given.sum())) > 0:
        open_labels = preference[given[preference] < room[preference]]
        given[open_labels[:missing]] += 1
    return given
