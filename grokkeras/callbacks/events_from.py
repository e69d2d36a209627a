"""Where a scheduler beside other callbacks hears of memorization and grokking."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from grokkeras.callbacks.detector import GrokkingDetector
from grokkeras.errors import UserError


def find_detector(
    scheduler: str,
    schedule: str,
    wanted: Sequence[str],
    given: Any,
    earlier: Collection[str],
    beside: Sequence[Any],
) -> Any:
    """The detector that a scheduler's events come from; None where it needs none.

    Args:
        scheduler: the scheduler's class, for messages.
        schedule: what it schedules, such as `weight decay`, for messages.
        wanted: events that the schedule waits for.
        given: the detector that the user named, or None.
        earlier: events whose steps are known already.
        beside: all callbacks of this `fit`.

    Raises:
        UserError: several detectors, or none and an event that nothing else tells.
    """
    if given is not None or not wanted:
        return given
    found = [other for other in beside if isinstance(other, GrokkingDetector)]
    if len(found) > 1:
        raise UserError(
            f"{scheduler} found {len(found)} GrokkingDetectors among the callbacks: say which one "
            f"the schedule follows with detector=."
        )
    if not found and not all(name in earlier for name in wanted):
        raise UserError(
            f"The {schedule} schedule waits for {' and '.join(wanted)}, and nothing detects it: "
            f"add a GrokkingDetector to the callbacks, or pass detector=."
        )
    return found[0] if found else None
