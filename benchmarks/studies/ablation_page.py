"""What an ablation found: the tables between the marks of its page, and its picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from benchmarks.studies.ablation import ENOUGH, SETTINGS, Ablation, Found
from benchmarks.studies.effect import Effect, compare, sign_test
from benchmarks.studies.pictures import Row, seeds_picture
from benchmarks.studies.record import Run
from benchmarks.studies.runs import summarize
from benchmarks.studies.tables import share, steps, write_table
from grokkeras.files import write_atomic

_PAGES, _IMAGES = Path("docs") / "ablations", Path("docs") / "images"


def write_page(ablation: Ablation, found: Mapping[str, Found], page: str) -> None:
    """Writes `docs/ablations/PAGE.md` and `docs/images/ablation-PAGE.png`.

    Args:
        ablation: the ablation.
        found: what came of each setting.
        page: the name of both, without ending.
    """
    path = _PAGES / f"{page}.md"
    arm = ["setting", "arm", "seeds that grok", "memorised", "grokked", "first to last"]
    write_table(path, "judged", arm, _judged(found))
    beside = ["what", "beside", "setting", "ratio", "95 % interval", "sooner on", "later on"]
    write_table(path, "effects", beside, _effects(ablation, found))
    write_table(path, "tuning", ["arm", *SETTINGS.values()], _tuning(ablation, found))
    picture = seeds_picture(_rows(ablation, found), "Grokking step of each fresh seed").png()
    write_atomic(_IMAGES / f"ablation-{page}.png", picture, "a picture")


def _judged(found: Mapping[str, Found]) -> list[list[str]]:
    lines = []
    for setting, each in found.items():
        for arm, runs in each.judged.items():
            row = summarize(runs)
            named = f"{arm}{_as(each, arm)}"
            seen = [run.grokked for run in runs if run.grokked is not None]
            ends = f"{min(seen):,} to {max(seen):,}" if seen else ""
            lines.append(
                [SETTINGS[setting], named, share(row), steps(row, "memorized"), steps(row), ends]
            )
        if not each.judged:
            lines.append([SETTINGS[setting], "", "not run yet", "", "", ""])
    return lines


def _effects(ablation: Ablation, found: Mapping[str, Found]) -> list[list[str]]:
    lines = []
    for ours, other in ablation.pairs:
        effects = {}
        for setting, each in found.items():
            if not each.judged:
                continue
            mine, theirs = each.steps(ours), each.steps(other)
            pairs = [(mine[seed], theirs[seed]) for seed in mine if seed in theirs]
            if len(pairs) >= ENOUGH:
                effects[setting] = compare(*zip(*pairs, strict=True)), len(pairs)
        for setting, (effect, seeds) in effects.items():
            interval = f"{_times(effect.low)} to {_times(effect.high)}"
            where = [SETTINGS[setting], _times(effect.ratio), interval]
            lines.append([ours, other, *where, *_on(effect.sooner, effect.later, seeds)])
        if len(effects) > 1:
            lines.append([ours, other, *_together(effects.values())])
    return lines


def _together(effects: Collection[tuple[Effect, int]]) -> list[str]:
    sooner = sum(effect.sooner for effect, _ in effects)
    later = sum(effect.later for effect, _ in effects)
    chance = f"sign test: p = {sign_test(sooner, later):.2g}"
    return ["all", "", chance, *_on(sooner, later, sum(seeds for _, seeds in effects))]


def _on(sooner: int, later: int, seeds: int) -> list[str]:
    return [f"{count} of {seeds}" for count in (sooner, later)]


def _tuning(ablation: Ablation, found: Mapping[str, Found]) -> list[list[str]]:
    lines = []
    for arm in (*ablation.constants, *ablation.schedules):
        line = [arm]
        for setting in SETTINGS:
            each = found[setting]
            cell = _cell(each.tuning[arm])
            line.append(f"**{cell}**" if arm in each.best.values() else cell)
        lines.append(line)
    return lines


def _cell(runs: Sequence[Run]) -> str:
    row = summarize(runs)
    return share(row) if row["steps"] is None else f"{share(row)}, {steps(row)}"


def _rows(ablation: Ablation, found: Mapping[str, Found]) -> list[Row]:
    rows = []
    for setting, each in found.items():
        rows.append(Row(f"{SETTINGS[setting]}{'' if each.judged else ': not run yet'}"))
        for arm in each.judged:
            color = "run-0" if arm in ablation.constants else "run-1"
            rows.append(Row(f"{arm}{_as(each, arm)}", color, list(each.steps(arm).values())))
    return rows


def _as(found: Found, arm: str) -> str:
    return "".join(f" ({what})" for what, best in found.best.items() if best == arm)


def _times(ratio: float) -> str:
    return "∞" if ratio == math.inf else f"{ratio:.2f}"
