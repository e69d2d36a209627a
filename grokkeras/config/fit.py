"""Refuses a run that the machine's memory cannot hold, and names a setting that would fit."""

from __future__ import annotations

import os
from pathlib import Path

from grokkeras.config.load import load_config, to_plain
from grokkeras.config.memory import MemoryEstimate, estimate_memory, size_words
from grokkeras.config.schema import RunConfig
from grokkeras.config.shape import TaskShape, task_shape
from grokkeras.errors import ConfigError, UserError

# What to make smaller, by the part of the estimate that is largest.
_REMEDIES = {
    "training step": ("train.batch_size", "model.width", "model.num_layers"),
    "evaluation": ("model.width", "model.mlp_width", "task.modulus", "task.num_bits"),
    "weights and optimizer": ("model.width", "model.mlp_width", "model.num_layers"),
    "data": ("task.modulus", "task.degree", "task.num_examples"),
}
_ANY = ("train.batch_size", "model.width", "task.modulus", "task.degree", "task.num_examples")
_TRIES = 200


def check_memory(
    config: RunConfig, available_bytes: int | None, shape: TaskShape | None = None
) -> MemoryEstimate:
    """Refuses what cannot fit.

    Args:
        config: the run's configuration.
        available_bytes: what the machine has left; None if unknown, which refuses nothing.
        shape: the data's sizes, needed for `arrays` only.

    Returns:
        The estimate, for `memory_line`.

    Raises:
        UserError: the estimate exceeds the memory; names the largest part and, where there is
            one, a setting that would fit.
    """
    estimate = estimate_memory(config, shape)
    if available_bytes is None or estimate.total <= available_bytes:
        return estimate
    largest = estimate.largest
    message = (
        f"This run would need about {size_words(estimate.total)} of memory and "
        f"{size_words(available_bytes)} are available. The largest part is {largest}, "
        f"{size_words(estimate.parts[largest])}."
    )
    for dotted in dict.fromkeys((*_REMEDIES[largest], *_ANY)):
        value = _largest_that_fits(config, dotted, available_bytes, shape)
        if value is not None:
            raise UserError(f"{message} It would fit with {dotted}={value}.")
    raise UserError(f"{message} No smaller batch, width or task alone would make it fit.")


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that a new process can have: the machine's, or less where a control group limits it.

    Args:
        root: where `proc` and `sys` are found.

    Returns:
        Bytes, or None where the system does not say.
    """
    found = [size for size in (_from_meminfo(root), _from_cgroup(root)) if size is not None]
    return min(found) if found else None


def _largest_that_fits(
    config: RunConfig, dotted: str, available: int, shape: TaskShape | None
) -> int | None:
    section_name, key = dotted.split(".")
    section = getattr(config, section_name)
    value = getattr(section, key, None)
    if value == "full":
        known = shape or task_shape(config.task)
        assert known is not None  # estimate_memory has asked for it
        value = known.num_train
    if not isinstance(value, int) or (shape is not None and section_name == "task"):
        return None

    def fits(number: int) -> bool:
        changed = section.model_copy(update={key: number})
        changed_config = config.model_copy(update={section_name: changed})
        return estimate_memory(changed_config, shape).total <= available

    low, high = 0, value  # high does not fit, and low does or is 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    # The largest may break another rule, such as heads dividing the width; a smaller one will not.
    return next(
        (n for n in range(low, max(low - _TRIES, 0), -1) if _is_sound(config, dotted, n)), None
    )


def _is_sound(config: RunConfig, dotted: str, value: int) -> bool:
    try:
        load_config(to_plain(config), {dotted: value}, require_backend=False)
    except ConfigError:
        return False
    return True


def _from_meminfo(root: Path) -> int | None:
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _from_cgroup(root: Path) -> int | None:
    groups = root / "sys/fs/cgroup"
    first = groups / "memory"
    for limit, usage, statistics, idle in (
        (groups / "memory.max", groups / "memory.current", groups / "memory.stat", "inactive_file"),
        (
            first / "memory.limit_in_bytes",
            first / "memory.usage_in_bytes",
            first / "memory.stat",
            "total_inactive_file",
        ),
    ):
        try:
            used = int(usage.read_text()) - _cached(statistics, idle)
            return max(int(limit.read_text()) - used, 0)
        except (OSError, ValueError):  # another version of control groups, or `max`: no limit
            continue
    return None


def _cached(statistics: Path, key: str) -> int:
    """Bytes of files that the system keeps in memory and gives up for a program."""
    try:
        lines = (line.split() for line in statistics.read_text().splitlines())
        return next((int(line[1]) for line in lines if line[:1] == [key]), 0)
    except (OSError, ValueError, IndexError):
        return 0
