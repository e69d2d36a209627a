"""Fits the forecast to runs that have ended."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grokkeras.forecast import Forecast, Point
from grokkeras.forecast.estimate import Calibration, Interval, estimate, features, has_sign, weigh
from grokkeras.forecast.signs import Signs, read_signs

COVERAGE = 0.8
# Intervals of their own, by the share of its way that the loss has fallen.
BANDS = (0.2, 0.6, 1.0)
# Where a run is looked at, in memorization steps.
FACTORS = tuple(1.2 * 1.15**k for k in range(40))
# What is tried for the two bounds of "no sign".
LEAST_FALLEN = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
LEAST_STEADY = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
# The share of moments at which a run that does not grok may be told a step, and the factor that the
# ends of an interval may lie apart, in steps left: beyond four times either way it says little.
FALSE_ALARMS, WIDEST = 0.05, 16.0
_RIDGE = 0.3
_EXACT = (Interval(1.0, 0.0, 0.0),)


@dataclass(frozen=True)
class Case:
    """A run that has memorized.

    Attributes:
        setting, group, seed: which it is.
        hopeless: of a setting that is made never to grok.
        memorized, grokked: steps; grokked None: not in its steps.
        last: its last step.
        curve: its evaluations.
    """

    setting: str
    group: str
    seed: int
    hopeless: bool
    memorized: int
    grokked: int | None
    last: int
    curve: Sequence[Point]


@dataclass(frozen=True)
class Moment:
    """A case while it waits, asked at the last evaluation up to `factor` memorization steps."""

    case: Case
    factor: float
    step: int
    signs: Signs | None


@dataclass(frozen=True)
class Answer:
    """What was forecast, of a moment that had signs."""

    moment: Moment
    told: Forecast

    @property
    def given(self) -> bool:
        """Whether there was a forecast."""
        return self.told.step is not None

    @property
    def covered(self) -> bool:
        """Whether the case grokked within the interval."""
        told, grokked = self.told, self.moment.case.grokked
        if grokked is None or told.low is None or told.high is None:
            return False
        return told.low <= grokked <= told.high

    @property
    def refuted(self) -> bool:
        """Whether the interval went by within the run's steps, and it had not grokked."""
        case = self.moment.case
        return case.grokked is None and self.told.high is not None and self.told.high < case.last

    @property
    def false_alarm(self) -> bool:
        """A forecast of a run that does not grok: refuted, or of a hopeless setting."""
        case = self.moment.case
        return self.refuted or (self.given and case.hopeless and case.grokked is None)


def moments(case: Case, factors: Iterable[float]) -> Iterator[Moment]:
    """Those of the moments at which the case waited."""
    steps = [step for step, _ in case.curve]
    end = case.last if case.grokked is None else case.grokked - 1
    before = case.memorized
    for factor in factors:
        place = bisect.bisect_right(steps, factor * case.memorized)
        if factor * case.memorized <= end and place and steps[place - 1] > before:
            before = steps[place - 1]
            signs = read_signs(case.curve[:place], case.memorized)
            yield Moment(case, factor, before, signs)


def look(cases: Iterable[Case]) -> list[list[Moment]]:
    """The moments of every case that are fitted, of those cases that waited for any."""
    return [found for case in cases if (found := list(moments(case, FACTORS)))]


def answer(moment: Moment, calibration: Calibration) -> Answer:
    """What is forecast at a moment."""
    if moment.signs is None:
        return Answer(moment, Forecast(moment.step, None, None, None, COVERAGE, ""))
    return Answer(moment, estimate(moment.signs, calibration))


def fit(cases: Sequence[Case]) -> tuple[Calibration, dict[str, float]]:
    """The calibration with which most is told within `FALSE_ALARMS` and `WIDEST`.

    Errors and false alarms are those on each group in turn, left out of the weights.

    Returns:
        The calibration, and of those groups: `told`, the share of moments at which a run that
        groks is told a step, and `false_alarms`.
    """
    looked = look(cases)
    tried = [
        _calibrate(looked, fallen, steady) for fallen in LEAST_FALLEN for steady in LEAST_STEADY
    ]
    allowed = [
        each
        for each in tried
        if each[1]["false_alarms"] <= FALSE_ALARMS
        and all(i.high - i.low <= math.log(WIDEST) for i in each[0].intervals)
    ]
    if not allowed:
        raise ValueError(f"Nothing tried keeps to {FALSE_ALARMS=} and {WIDEST=}.")
    return max(allowed, key=lambda each: each[1]["told"])


def _calibrate(
    looked: Sequence[Sequence[Moment]], fallen: float, steady: float
) -> tuple[Calibration, dict[str, float]]:
    errors: list[tuple[Moment, float, float]] = []
    told: list[float] = []
    alarms: list[float] = []
    for group in sorted({found[0].case.group for found in looked}):
        others = [found for found in looked if found[0].case.group != group]
        apart = Calibration(fit_weights(others, fallen, steady), _EXACT, COVERAGE, fallen, steady)
        for found in (found for found in looked if found[0].case.group == group):
            said = [answer(moment, apart) for moment in found]
            given = [each.moment for each in said if each.given]
            if found[0].case.grokked is None:
                alarms.append(sum(each.false_alarm for each in said) / len(said))
                continue
            told.append(len(given) / len(said))
            errors += [(each, _error(each, apart.weights), 1 / len(given)) for each in given]
    weights = {name: round(value, 3) for name, value in fit_weights(looked, fallen, steady).items()}
    return Calibration(weights, _intervals(errors), COVERAGE, fallen, steady), {
        "told": _mean(told),
        "false_alarms": _mean(alarms),
    }


def _intervals(errors: Sequence[tuple[Moment, float, float]]) -> tuple[Interval, ...]:
    """The quantiles of each band's errors, moved outwards as much as few runs ask for.

    With n errors the k-th smallest is as a new one's quantile at k / (n + 1), so split conformal
    prediction takes ranks of n + 1.
    """
    intervals = []
    for low, high in zip((0.0, *BANDS), BANDS, strict=False):
        here = [
            (each.case, error, count)
            for each, error, count in errors
            if each.signs is not None and low <= each.signs.fallen <= high
        ]
        if here:
            runs = len({(case.setting, case.seed) for case, _, _ in here})
            edge = max(0.0, ((runs + 1) * (1 - COVERAGE) / 2 - 1) / runs)
            weighed = [(error, count) for _, error, count in here]
            ends = (round(_quantile(weighed, share), 3) for share in (edge, 1 - edge))
            intervals.append(Interval(high, *ends))
    return tuple(intervals)


def fit_weights(
    looked: Sequence[Sequence[Moment]], fallen: float, steady: float
) -> dict[str, float]:
    """Least squares on the moments at which a run that groks has a sign; each run counts alike."""
    rows, aims, counts = [], [], []
    for found in looked:
        signed = [
            each
            for each in found
            if each.case.grokked and each.signs and has_sign(each.signs, fallen, steady)
        ]
        for each in signed:
            assert each.signs is not None
            rows.append(features(each.signs))
            aims.append(_aim(each))
            counts.append(1 / len(signed))
    names = list(rows[0])
    A = np.array([[row[name] for name in names] for row in rows])
    W = np.array(counts)[:, None]
    penalty = _RIDGE * np.diag([0.0 if name == "constant" else 1.0 for name in names])
    solved = np.linalg.solve(A.T @ (W * A) + penalty, A.T @ (W[:, 0] * np.array(aims)))
    return dict(zip(names, map(float, solved), strict=True))


def _aim(moment: Moment) -> float:
    """Log of the steps left, in steps waited."""
    assert moment.case.grokked is not None
    return math.log((moment.case.grokked - moment.step) / (moment.step - moment.case.memorized))


def _error(moment: Moment, weights: dict[str, float]) -> float:
    assert moment.signs is not None
    return _aim(moment) - weigh(moment.signs, weights)


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0


def _quantile(weighed: Sequence[tuple[float, float]], share: float) -> float:
    """The value below which lies `share` of the weight."""
    ranked = sorted(weighed)
    bound, passed = share * sum(weight for _, weight in ranked), 0.0
    for value, weight in ranked:
        passed += weight
        if passed >= bound:
            return value
    return ranked[-1][0]
