"""A running sum that does not drift: what leaves it is subtracted without a trace.

Adding a term and later subtracting it from a float32 sum leaves the rounding errors of both behind
for good. In grokking gradients shrink by orders of magnitude after memorization, so errors of the
early sums would soon be larger than the sums themselves. Here the errors are computed exactly
(Knuth's two-sum) and carried in a second number, so that the pair is good to about 1e-14 of the
largest sum there ever was, whatever the number of steps.
"""

from __future__ import annotations

from typing import Any


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded sum of two floats, and its exact error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def slide(total: Any, rest: Any, entering: Any, leaving: Any) -> tuple[Any, Any]:
    """The sum `total + rest` after one term has entered and one has left.

    Args:
        total, rest: the sum as two floats, of which the second is much smaller.
        entering, leaving: the terms, of the same shape.

    Returns:
        The new pair.
    """
    change, lost = two_sum(entering, -leaving)
    total, lost_too = two_sum(total, change)
    return two_sum(total, rest + (lost + lost_too))
