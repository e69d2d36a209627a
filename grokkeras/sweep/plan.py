"""From a configuration, a grid and seeds to jobs and their folders."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grokkeras.config import load_config
from grokkeras.config.explain import shown
from grokkeras.config.overrides import read_settings
from grokkeras.errors import Fault, UserError
from grokkeras.sweep.jobs import Job

_LONGEST = 120
_MOST_SEEDS = 100_000


def plan_sweep(
    source: str | Path,
    seeds: Sequence[int],
    grid: Mapping[str, Sequence[object]] | None = None,
    out: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    known_faults: Iterable[Fault] = (),
) -> list[Job]:
    """The jobs of a sweep, all settings of the first seed first.

    Args:
        source: as `load_config` takes it.
        seeds: one run a setting each.
        grid: values by dotted key; every combination is a setting. None: the one setting.
        out: the sweep's folder; None: runs/NAME-sweep.
        overrides: values by dotted key for all runs.
        known_faults: faults of the command line, told with the configuration's.

    Raises:
        ConfigError: one of the configurations was refused.
    """
    keys = list(grid or {})
    settings = [
        dict(zip(keys, values, strict=True)) for values in itertools.product(*(grid or {}).values())
    ]
    jobs = []
    names, labels = _folder_names(settings), _labels(settings)
    for seed in seeds:
        for setting, name, label in zip(settings, names, labels, strict=True):
            config = load_config(
                source,
                {**(overrides or {}), **setting, "seed": seed},
                known_faults=known_faults,
            )
            root = Path("runs") / f"{config.name}-sweep" if out is None else out
            folder = root / (name or config.name) / f"seed-{seed}"
            jobs.append(Job(folder, config, label or config.name))
    return jobs


def read_seeds(text: str) -> list[int]:
    """Seeds as the command line writes them: `0:8` (0 to 7), `0,3,5` or `4`.

    Raises:
        UserError: it is none of these.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?::(\d{1,9}))?\s*", part)
        if match is None:
            raise UserError(f"--seeds {text!r}: expected such as 0:8 (0 to 7), 0,3,5 or 4.")
        first, end = match.groups()
        named = range(int(first), int(first) + 1 if end is None else int(end))
        if len(seeds) + len(named) > _MOST_SEEDS:
            raise UserError(f"--seeds {text!r}: expected at most {_MOST_SEEDS:,} seeds.")
        seeds += named
    if not seeds:
        raise UserError(f"--seeds {text!r} names no seed. 0:8 are the eight from 0 to 7.")
    return list(dict.fromkeys(seeds))


def read_grid(texts: Iterable[str]) -> tuple[dict[str, list[object]], list[Fault]]:
    """The values that `--grid KEY=V1,V2` options mean.

    Args:
        texts: each value is YAML; commas separate values, but not within brackets or braces.

    Returns:
        Values by dotted key, and a fault for each text that is no grid.
    """
    grid: dict[str, list[object]] = {}
    faults: list[Fault] = []
    for text in texts:
        key, equals, values = text.partition("=")
        if not equals:
            faults.append(Fault("--grid", text, "KEY=V1,V2"))
            continue
        found, more = read_settings([f"{key}=[{values}]"])
        faults += more
        for name, value in found.items():
            if name == "seed":
                faults.append(Fault("--grid seed", values, "the seeds as --seeds, such as 0:8"))
            elif name == "name":
                faults.append(Fault("--grid name", values, "one name, such as --set name=mine"))
            elif name in grid:
                faults.append(Fault(f"--grid {name}", values, "each key once, with all values"))
            elif not value or not isinstance(value, list):
                faults.append(Fault(f"--grid {name}", values, "values, such as 0.3,1.0"))
            else:
                grid[name] = list({repr(each): each for each in value}.values())
    return grid, faults


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _labels(settings: Sequence[Mapping[str, object]]) -> list[str]:
    """Each setting in words, all different: those alike once shortened are numbered."""
    labels = [
        ", ".join(f"{_last(key)}={shown(value)}" for key, value in setting.items())
        for setting in settings
    ]
    return [
        f"{label} (setting {place})" if labels.count(label) > 1 else label
        for place, label in enumerate(labels, 1)
    ]


def _folder_names(settings: Sequence[Mapping[str, object]]) -> list[str]:
    """A folder name for each setting, all different; "" for the one without any value."""
    for naming in (_last, str):
        names = [
            ",".join(f"{naming(key)}={_safe(value)}" for key, value in setting.items())
            for setting in settings
        ]
        if len(set(names)) == len(names) and max(map(len, names)) <= _LONGEST:
            return names
    return [f"setting-{place}" for place in range(1, len(settings) + 1)]


def _safe(value: object) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", str(value)).strip("_") or "empty"
