"""How good the forecast of the grokking step is, on tasks and models it was not calibrated on.

`python -m benchmarks.studies.forecast` trains the settings of `forecast_grid.py`, fits the forecast
to the groups that are not left out and writes `grokkeras/forecast/calibration.json`. Then it asks
for a forecast of every run at fixed moments, and writes `docs/forecast_runs.json`, one row a run,
and the tables of `docs/forecast.md`. `--table` trains nothing.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.studies.forecast_fit import Answer, Case, answer, fit, fit_weights, look, moments
from benchmarks.studies.forecast_grid import LEFT_OUT, group_of, hopeless, settings
from benchmarks.studies.record import Run
from benchmarks.studies.runs import folder_of, records, run_all
from benchmarks.studies.tables import write_table
from grokkeras.forecast import points
from grokkeras.forecast.estimate import Calibration

STUDY = "forecast"
COMMAND = "python -m benchmarks.studies.forecast"
# When each run is asked, in memorization steps.
ASKED = (1.5, 2, 3, 5, 10, 20)
OFTEN = tuple(1.05**k for k in range(1, 120))
CALIBRATION = Path("grokkeras") / "forecast" / "calibration.json"
ROWS = Path("docs") / "forecast_runs.json"
PAGE = Path("docs") / "forecast.md"
HEADINGS = (
    "asked at",
    "grok later",
    "told a step",
    "interval held",
    "off by",
    "median step: off by",
    "median of those still waiting: off by",
    "do not grok",
    "told a step all the same",
    "false alarms",
)


FIRST_TOLD = ("grok, 1.5 memorization steps or later", "told a step before", "first after")


def main() -> None:
    """Runs what is missing, fits, judges and writes."""
    cases, rows = read()
    seen = [case for case in cases if case.group not in LEFT_OUT]
    calibration, shares = fit(seen)
    facts = {"runs": len(seen), **{name: round(share, 3) for name, share in shares.items()}}
    written = {"calibration": asdict(calibration), "fitted": facts, "command": COMMAND}
    CALIBRATION.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    unseen = [each for c in cases if c.group in LEFT_OUT for each in _asked(c, calibration)]
    in_turn = [each for case in seen for each in _asked(case, _without(seen, case, calibration))]
    for each in (*unseen, *in_turn):
        row = rows[each.moment.case.setting, each.moment.case.seed]
        told = each.told
        row["told"][f"{each.moment.factor:g}"] = [told.step, told.low, told.high]
    lines = ",\n".join(json.dumps(row) for row in rows.values())
    ROWS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    write_table(PAGE, "left out", HEADINGS, table(unseen, seen))
    write_table(PAGE, "in turn", HEADINGS, table(in_turn, seen))
    waits = [
        first_told("left out", [c for c in cases if c.group in LEFT_OUT], calibration),
        first_told("of the calibration", seen, calibration),
    ]
    write_table(PAGE, "first told", ("groups", *FIRST_TOLD), waits)
    write_table(PAGE, "runs", ("group", "runs", "memorized", "grokked"), _counts(rows.values()))
    print(f"Written to {CALIBRATION}, {ROWS} and {PAGE}.")


def read() -> tuple[list[Case], dict[tuple[str, int], dict[str, Any]]]:
    """Trains what is missing; the cases, and a row for every run by setting and seed."""
    cases, rows = [], {}
    for name, seed, run in outcomes():
        assert run.error is None, f"{name}, seed {seed}: {run.error}"
        metrics = records(folder_of(STUDY, name, seed) / "metrics.jsonl")
        group, last = group_of(name), metrics[-1]["step"]
        rows[name, seed] = {
            "setting": name,
            "seed": seed,
            "left_out": group in LEFT_OUT,
            "memorized": run.memorized,
            "grokked": run.grokked,
            "steps": last,
            "told": {},
        }
        if run.memorized is not None:
            known = (name, group, seed, hopeless(name), run.memorized, run.grokked, last)
            cases.append(Case(*known, list(points(metrics))))
    return cases, rows


def outcomes() -> Iterator[tuple[str, int, Run]]:
    """Every setting on the first seed; on the second those that may grok."""
    made = settings()
    may = {name: config for name, config in made.items() if not hopeless(name)}
    for seed, chosen in enumerate((made, may)):
        for name, runs in run_all(STUDY, chosen, [seed], folders=True).items():
            for run in runs:
                yield name, seed, run


def table(found: Sequence[Answer], seen: Sequence[Case]) -> list[list[str]]:
    """A line for every moment, and one for all.

    Args:
        found: what was forecast.
        seen: the cases whose medians are guessed beside it; one's own group is left out.
    """
    lines = [
        _line(f"{factor:g} x", [each for each in found if each.moment.factor == factor], seen)
        for factor in ASKED
    ]
    return [*lines, _line("all", found, seen)]


def first_told(name: str, cases: Sequence[Case], calibration: Calibration) -> list[str]:
    """How many are told a step before they grok, and after which share of the wait at first."""
    groks = [case for case in cases if case.grokked and case.grokked >= 1.5 * case.memorized]
    shares = []
    for case in groks:
        steps = [m.step for m in moments(case, OFTEN) if answer(m, calibration).given]
        if steps and case.grokked:
            shares.append((steps[0] - case.memorized) / (case.grokked - case.memorized))
    first = f"{100 * statistics.median(shares):.0f} % of the wait" if shares else ""
    return [name, str(len(groks)), str(len(shares)), first]


def _line(when: str, found: Sequence[Answer], seen: Sequence[Case]) -> list[str]:
    groks = [each for each in found if each.moment.case.grokked is not None]
    never = [each for each in found if each.moment.case.grokked is None]
    told = [each for each in groks if each.given]
    return [
        when,
        str(len(groks)),
        _share(len(told), len(groks)),
        _share(sum(each.covered for each in told), len(told)),
        _off(told, lambda each: float(each.told.step or 0)),
        _off(told, lambda each: median_step(each, seen)),
        _off(told, lambda each: median_of_waiting(each, seen)),
        str(len(never)),
        _share(sum(each.given for each in never), len(never)),
        _share(sum(each.false_alarm for each in never), len(never)),
    ]


def median_step(each: Answer, seen: Sequence[Case]) -> float:
    """The median grokking step of the cases seen; where that has passed, the next step."""
    steps = [c.grokked for c in seen if c.grokked and c.group != each.moment.case.group]
    return max(statistics.median(steps), each.moment.step + 1)


def median_of_waiting(each: Answer, seen: Sequence[Case]) -> float:
    """The median grokking step, in memorization steps, of the cases seen that waited as long."""
    case, step = each.moment.case, each.moment.step
    waited = step / case.memorized
    grown = [c.grokked / c.memorized for c in seen if c.grokked and c.group != case.group]
    later = [ratio for ratio in grown if ratio > waited]
    return case.memorized * statistics.median(later) if later else 2 * step


def _off(told: Sequence[Answer], guess: Callable[[Answer], float]) -> str:
    """The median factor between a guess and the grokking step."""
    if not told:
        return ""
    factors = [abs(math.log(guess(each) / (each.moment.case.grokked or 1))) for each in told]
    return f"{math.exp(statistics.median(factors)):.2f}"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else ""


def _asked(case: Case, calibration: Calibration) -> list[Answer]:
    return [answer(moment, calibration) for moment in moments(case, ASKED)]


def _without(seen: Sequence[Case], case: Case, calibration: Calibration) -> Calibration:
    """The calibration with weights from the other groups."""
    others = look([each for each in seen if each.group != case.group])
    weights = fit_weights(others, calibration.least_fallen, calibration.least_steady)
    return replace(calibration, weights=weights)


def _counts(rows: Any) -> list[list[str]]:
    lines: dict[str, list[int]] = {}
    for row in rows:
        line = lines.setdefault(group_of(row["setting"]), [0, 0, 0])
        for place, counted in enumerate((True, row["memorized"], row["grokked"])):
            line[place] += counted is not None
    return [
        [f"{group}{' (left out)' if group in LEFT_OUT else ''}", *map(str, line)]
        for group, line in lines.items()
    ]


if __name__ == "__main__":
    main()
