"""How a table of vectors, one an element of a cyclic group, spreads over the group's frequencies.

A network that has found modular addition keeps its numbers on a few circles, each a frequency of
the group (Nanda et al. 2023, arXiv 2301.05217, section 4); one that has memorised uses all of them
alike. Concentration is measured by the inverse participation ratio and by the Gini coefficient.
"""

from __future__ import annotations

import numpy as np


def fourier_power(table: np.ndarray) -> np.ndarray:
    """Power of each frequency, the constant left out.

    Args:
        table: (n, channels), row k the vector of the element k of Z_n.

    Returns:
        (n // 2,) for the frequencies 1 to n // 2: sum over channels of |c_k|^2. A table of noise is
        flat, also at the highest frequency of an even n, which has no sine: E |c_k|^2 is n there
        too.
    """
    spectrum = np.fft.rfft(np.asarray(table, np.float64), axis=0)
    return np.asarray(np.square(np.abs(spectrum)).sum(axis=1)[1:])


def inverse_participation_ratio(power: np.ndarray) -> float:
    """Sum of the squared shares: 1 if one entry has it all, 1 / count if all have the same.

    Args:
        power: (count,) numbers of 0 or more.

    Returns:
        0 where there is no power at all.
    """
    total = float(power.sum())
    return float(np.square(power / total).sum()) if total > 0 else 0.0


def gini(power: np.ndarray) -> float:
    """Gini coefficient: 0 if all entries are equal, 1 - 1 / count if one has it all.

    Args:
        power: (count,) numbers of 0 or more.

    Returns:
        0 where there is no power at all.
    """
    total, count = float(power.sum()), len(power)
    if not total > 0:
        return 0.0
    ranks = np.arange(1, count + 1)
    return float((2 * ranks - count - 1) @ np.sort(power) / (count * total))


def key_frequencies(power: np.ndarray, most: int = 12) -> list[int]:
    """The frequencies that stand out of the floor of all others, strongest first.

    The floor is the lower quartile; a key frequency has five times as much, and a fiftieth of the
    strongest. In a table of noise with many channels none has.

    Args:
        power: (count,), entry k that of frequency k + 1.
        most: how many to name at most.
    """
    if not len(power) or not np.isfinite(power).all():
        return []
    least = max(5 * float(np.quantile(power, 0.25)), float(power.max()) / 50)
    order = np.argsort(-power, kind="stable")
    return [int(place) + 1 for place in order if power[place] > least][:most]
