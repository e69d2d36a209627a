"""From a configuration's `task` to its data: `make_task`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.diversity import diversified


def make_task(options: object, seed: int) -> TaskData:
    """Builds the task that `options.name` names.

    Args:
        options: the configuration's `task`, or a mapping or object with the same fields; what a
            mapping leaves out takes the task's default.
        seed: not negative; the same seed gives the same data and split everywhere.

    Returns:
        The task, split; its training split augmented and with wrong labels where that was asked
        for. A teacher's labels are another step: `diversity.taught`.

    Raises:
        UserError: unknown name or option, or options that make no task.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UserError(f"seed must be an integer, 0 or more; received {seed!r}.")
    name = options.get("name") if isinstance(options, Mapping) else getattr(options, "name", None)
    if not isinstance(name, str):
        raise UserError(f"A task needs a name, one of: {', '.join(TASKS.names())}.")
    return diversified(TASKS.get(name)(options, int(seed)), options, int(seed))
