"""Names for what the steps say: the phase of a run, and its stage while it runs.

The phases are those of Liu et al. 2022, "Towards Understanding Grokking" (arXiv 2205.10343,
section 4). They name the delay only; whether a run has grokked is said by its grokking step.
"""

from __future__ import annotations


def name_phase(memorization_step: int | None, grokking_step: int | None, min_delay: int) -> str:
    """`grokking`, `comprehension`, `memorization` or `confusion`.

    Validation without training has no name in the paper (a training metric taken under dropout or
    augmentation can stay below its threshold); nothing was memorized, so it counts as confusion.

    Args:
        memorization_step, grokking_step: in optimizer steps; None where it never came.
        min_delay: steps between them from which the phase is grokking.
    """
    if memorization_step is None:
        return "confusion"
    if grokking_step is None:
        return "memorization"
    return "grokking" if grokking_step - memorization_step >= min_delay else "comprehension"


def name_stage(
    memorization_step: int | None, grokking_step: int | None, collapse_step: int | None
) -> str:
    """`memorizing`, `overfitting`, `grokked`, or `collapsed`, which stays."""
    if collapse_step is not None:
        return "collapsed"
    if grokking_step is not None:
        return "grokked"
    return "memorizing" if memorization_step is None else "overfitting"
