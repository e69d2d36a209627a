"""A number that varies over training against the best number that does not.

For every setting both sides are tuned alike: as many arms, the same seeds, the same rule
(`runs.tune`: most seeds grok, then the earliest median). The best of each side, and arms named
beforehand, are then judged on seeds that tuning never saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.studies.record import Run
from benchmarks.studies.runs import best_of, run_all
from grokkeras.config.overrides import apply_overrides
from grokkeras.config.shipped import find_config
from grokkeras.config.yaml_core import parse_yaml

# A file in `configs/ablations`, and its name in tables.
SETTINGS = {
    "add": "addition mod 67",
    "divide": "division mod 59",
    "parity": "parity of 3 in 20 bits",
}
TUNING_SEEDS, SEEDS = (100, 101), range(9)
BEST_CONSTANT, BEST_SCHEDULE = "best constant", "best schedule"


@dataclass(frozen=True)
class Ablation:
    """What varies, and how.

    Attributes:
        study: names the runs' folder and the record.
        key: the dotted key that takes the arms' values.
        constants: a value by the arm's name, the value a number.
        schedules: as many, of numbers that vary.
        also: arms that are judged whatever tuning says.
        pairs: an arm, and one that it is held beside, each of `also`, or `BEST_CONSTANT` or
            `BEST_SCHEDULE`.
    """

    study: str
    key: str
    constants: Mapping[str, Any]
    schedules: Mapping[str, Any]
    also: Sequence[str] = ()
    pairs: Sequence[tuple[str, str]] = ((BEST_SCHEDULE, BEST_CONSTANT),)

    def config(self, setting: str, arm: str) -> dict[str, Any]:
        """The configuration of an arm in a setting."""
        path = find_config(f"ablations/{setting}")
        base, _ = parse_yaml(path.read_text(encoding="utf-8"), str(path))
        value = {**self.constants, **self.schedules}[arm]
        made, faults = apply_overrides(base, {self.key: value})
        assert not faults, faults
        return dict(made)

    def name(self, setting: str, arm: str) -> str:
        """What a setting's arm is called in the runs' folder and the record."""
        return f"{setting} {arm}"


@dataclass(frozen=True)
class Found:
    """What came of a setting.

    Attributes:
        tuning: the runs of every arm on `TUNING_SEEDS`.
        best: the arms that are `BEST_CONSTANT` and `BEST_SCHEDULE`; none before tuning has ended.
        judged: the runs of the arms that are judged on `SEEDS`, constants first.
    """

    tuning: Mapping[str, Sequence[Run]]
    best: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, Sequence[Run]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every judged arm has all its seeds."""
        return bool(self.judged) and all(len(r) == len(SEEDS) for r in self.judged.values())

    def steps(self, arm: str) -> list[int | None]:
        """The grokking steps of a judged arm, seed by seed; the best ones by those names too."""
        return [run.grokked for run in self.judged[self.best.get(arm, arm)]]


def carry_out(ablation: Ablation) -> Iterator[tuple[str, Found]]:
    """Does what is missing, setting by setting."""
    for setting in SETTINGS:
        yield setting, _carry_out(ablation, setting)


def _carry_out(ablation: Ablation, setting: str) -> Found:
    tuning = _runs(ablation, setting, [*ablation.constants, *ablation.schedules], TUNING_SEEDS)
    if any(len(runs) < len(TUNING_SEEDS) for runs in tuning.values()):
        return Found(tuning)
    sides = {BEST_CONSTANT: ablation.constants, BEST_SCHEDULE: ablation.schedules}
    best = {what: best_of({arm: tuning[arm] for arm in side}) for what, side in sides.items()}
    chosen = {*best.values(), *ablation.also}
    judged = _runs(ablation, setting, [arm for arm in tuning if arm in chosen], SEEDS)
    return Found(tuning, best, judged)


def _runs(
    ablation: Ablation, setting: str, arms: Sequence[str], seeds: Sequence[int]
) -> dict[str, list[Run]]:
    names = {ablation.name(setting, arm): arm for arm in arms}
    configs = {name: ablation.config(setting, arm) for name, arm in names.items()}
    found = run_all(ablation.study, configs, seeds)
    return {arm: found[name] for name, arm in names.items()}
