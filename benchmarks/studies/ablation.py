"""A number that varies over training against the best number that does not.

For every setting both sides are tuned alike: as many arms, the same seeds, the same rule
(`runs.best_of`: most seeds grok, then the earliest median). The best and the second of each side,
and arms named beforehand, are then judged on seeds that tuning never saw. The second is there
because the best, on few seeds, may lie at the edge of what fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "parity": "parity of 3 in 20 bits",
    "divide": "division mod 59",
}
# Every setting has the first `ENOUGH` of the fresh seeds before any has the others.
TUNING_SEEDS, SEEDS, ENOUGH = (100, 101), range(7), 5
BEST_CONSTANT, BEST_SCHEDULE = "best constant", "best schedule"
SECOND_CONSTANT, SECOND_SCHEDULE = "second constant", "second schedule"


@dataclass(frozen=True)
class Ablation:
    """What varies, and how.

    Attributes:
        study: names the runs' folder and the record.
        key: the dotted key that takes the arms' values.
        constants: a value by the arm's name, the value a number.
        schedules: as many, of numbers that vary.
        also: arms that are judged whatever tuning says.
        pairs: an arm, and one that it is held beside: of `also`, or `BEST_CONSTANT` and the like.
    """

    study: str
    key: str
    constants: Mapping[str, Any]
    schedules: Mapping[str, Any]
    also: Sequence[str] = ()
    pairs: Sequence[tuple[str, str]] = ()

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
        best: which arm is `BEST_CONSTANT`, which `BEST_SCHEDULE` and so on; none before tuning
            has ended.
        judged: the runs of the arms that are judged, constants first, in the order of `SEEDS`.
    """

    tuning: Mapping[str, Sequence[Run]]
    best: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, Sequence[Run]] = field(default_factory=dict)

    def steps(self, arm: str) -> dict[int, int | None]:
        """The grokking step of a judged arm by seed; the best ones by those names too."""
        return {run.seed: run.grokked for run in self.judged[self.best.get(arm, arm)]}


def carry_out(ablation: Ablation) -> dict[str, Found]:
    """Does what is missing, and tells what came of each setting."""
    for seeds in (SEEDS[:ENOUGH], SEEDS):
        found = {setting: _carry_out(ablation, setting, seeds) for setting in SETTINGS}
    return found


def _carry_out(ablation: Ablation, setting: str, seeds: Sequence[int]) -> Found:
    tuning = _runs(ablation, setting, [*ablation.constants, *ablation.schedules], TUNING_SEEDS)
    if any(len(runs) < len(TUNING_SEEDS) for runs in tuning.values()):
        return Found(tuning)
    best = {}
    for side, first, second in (
        (ablation.constants, BEST_CONSTANT, SECOND_CONSTANT),
        (ablation.schedules, BEST_SCHEDULE, SECOND_SCHEDULE),
    ):
        best[first] = best_of({arm: tuning[arm] for arm in side})
        best[second] = best_of({arm: tuning[arm] for arm in side if arm != best[first]})
    chosen = {*best.values(), *ablation.also}
    return Found(
        tuning, best, _runs(ablation, setting, [arm for arm in tuning if arm in chosen], seeds)
    )


def _runs(
    ablation: Ablation, setting: str, arms: Sequence[str], seeds: Sequence[int]
) -> dict[str, list[Run]]:
    names = {ablation.name(setting, arm): arm for arm in arms}
    configs = {name: ablation.config(setting, arm) for name, arm in names.items()}
    found = run_all(ablation.study, configs, seeds)
    return {arm: found[name] for name, arm in names.items()}
