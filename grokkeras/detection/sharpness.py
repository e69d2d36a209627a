"""How sharp the jump is: an error function fitted to a curve over the log of the step.

    value(s) = low + (high - low) * (1 + erf((log10 s - center) / (width * sqrt 2))) / 2

so the jump is the cumulative of a normal distribution whose standard deviation, `width`, is in
decades of steps: two thirds of the rise lie between `center - width` and `center + width`.

    fit = fit_jump(steps, val_accuracies)
    if fit:
        print(fit.center_step, fit.width_decades)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEAST_POINTS = 6
_COARSE_POINTS = 200
_ITERATIONS = 60


@dataclass(frozen=True)
class Sharpness:
    """A fitted jump.

    Attributes:
        center_step: step at which half of the rise is done.
        width_decades: standard deviation of the jump in decades of steps; smaller is sharper. No
            jump is told from a sharper one below the spacing of the evaluations.
        low, high: value before and after.
        r_squared: share of the curve's variance over log step that the fit explains, at most 1.
    """

    center_step: float
    width_decades: float
    low: float
    high: float
    r_squared: float


def fit_jump(
    steps: Sequence[float] | Array,
    values: Sequence[float] | Array,
    min_rise: float = 0.2,
    min_r_squared: float = 0.7,
) -> Sharpness | None:
    """Fits one rise to a curve.

    Evaluations are weighted by the stretch of log step that each stands for, so evaluations at
    every epoch and at log-spaced steps of one run give one answer.

    Args:
        steps: (n,) optimizer steps, any order; points at step 0 or with values that are not finite
            are left out.
        values: (n,) the metric, growing over the jump (negate a loss).
        min_rise: smallest `high - low` that counts as a jump, in units of the values. Default 0.2.
        min_r_squared: worst fit that counts as one. Default 0.7.

    Returns:
        The fit, or None where there is no jump: fewer than six steps, too small a rise, a rise so
        slow that it fills the run, or a curve of another shape.
    """
    x, y = _clean(steps, values)
    if len(np.unique(x)) < _LEAST_POINTS or float(np.ptp(y)) < min_rise:
        return None
    weights = _log_spacing(x)
    bounds = (float(y.min()), float(y.max()))
    parameters = _refine(x, y, weights, _coarse_fit(x, y, weights, bounds), bounds)
    low, high, center, log_width = parameters
    residual = float(np.sum(weights * (_model(parameters, x) - y) ** 2))
    spread = float(np.sum(weights * (y - np.average(y, weights=weights)) ** 2))
    if spread == 0:
        return None
    r_squared = 1.0 - residual / spread
    width = math.exp(log_width)
    # A straight ramp from the first point to the last is fitted best by about a quarter.
    fills_the_run = 5 * width > x[-1] - x[0]
    if (
        high - low < min_rise
        or not r_squared >= min_r_squared
        or fills_the_run
        or not x[0] <= center <= x[-1]
    ):
        return None
    return Sharpness(float(10.0**center), width, float(low), float(high), r_squared)


def _clean(steps: Sequence[float] | Array, values: Sequence[float] | Array) -> tuple[Array, Array]:
    s, y = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape:
        raise ValueError(
            f"steps and values are one-dimensional and of one length; "
            f"received shapes {s.shape} and {y.shape}."
        )
    keep = np.isfinite(s) & np.isfinite(y) & (s > 0)
    order = np.argsort(s[keep], kind="stable")
    return np.log10(s[keep][order]), y[keep][order]


def _log_spacing(x: Array) -> Array:
    """Half the distance to either neighbour: the trapezoid rule's weights."""
    gaps = np.diff(x)
    weights = np.zeros_like(x)
    weights[:-1] += gaps / 2
    weights[1:] += gaps / 2
    return weights / weights.sum()


def _shape(z: Array) -> Array:
    """The rise from 0 to 1. NumPy has no erf, and one in SciPy is not worth a dependency."""
    return np.fromiter((0.5 * math.erfc(-v / math.sqrt(2)) for v in z), np.float64, len(z))


def _model(parameters: Array, x: Array) -> Array:
    low, high, center, log_width = parameters
    return low + (high - low) * _shape((x - center) / math.exp(log_width))


def _levels(shape: Array, y: Array, w: Array, bounds: tuple[float, float]) -> tuple[float, float]:
    """Best low and high for a given shape, kept within the data's range.

    Without the bounds, a run that stops halfway up would be given any height.
    """
    mean_s, mean_y = np.average(shape, weights=w), np.average(y, weights=w)
    variance = float(np.average((shape - mean_s) ** 2, weights=w))
    if variance < 1e-12:
        return float(mean_y), float(mean_y)
    slope = float(np.average((shape - mean_s) * (y - mean_y), weights=w)) / variance
    low = float(mean_y - slope * mean_s)
    low, high = np.clip([low, low + slope], *bounds)
    return float(low), float(high)


def _coarse_fit(x: Array, y: Array, weights: Array, bounds: tuple[float, float]) -> Array:
    """Best of a grid over center and width: the squared error has valleys of its own."""
    if len(x) > _COARSE_POINTS:
        picked = np.unique(np.linspace(0, len(x) - 1, _COARSE_POINTS).round().astype(int))
        x, y = x[picked], y[picked]
        weights = _log_spacing(x)
    extent = x[-1] - x[0]
    best, best_error = np.array([bounds[0], bounds[1], x.mean(), 0.0]), math.inf
    for width in np.geomspace(0.005, 0.5, 8) * max(extent, 1e-9):
        for center in np.linspace(x[0], x[-1], 48):
            shape = _shape((x - center) / width)
            low, high = _levels(shape, y, weights, bounds)
            error = float(np.sum(weights * (low + (high - low) * shape - y) ** 2))
            if error < best_error:
                best, best_error = np.array([low, high, center, math.log(width)]), error
    return best


def _refine(
    x: Array, y: Array, weights: Array, parameters: Array, bounds: tuple[float, float]
) -> Array:
    """Levenberg-Marquardt on low, high, center and log width, levels kept within the data's."""
    root = np.sqrt(weights)
    # Below a third of the finest spacing every width fits the points alike.
    gaps = np.diff(x)
    narrowest = math.log(max(float(gaps[gaps > 0].min(initial=1.0)) / 3, 1e-6))
    damping = 1e-3
    parameters = parameters.copy()
    parameters[3] = max(parameters[3], narrowest)
    error = float(np.sum((root * (_model(parameters, x) - y)) ** 2))
    for _ in range(_ITERATIONS):
        residual = root * (_model(parameters, x) - y)
        jacobian = root[:, None] * _jacobian(parameters, x)
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        # A jump between two evaluations leaves its width without any gradient, hence the floor.
        scale = np.diag(np.diag(normal) + 1e-12 * np.trace(normal) + 1e-300)
        step = np.linalg.lstsq(normal + damping * scale, -gradient, rcond=None)[0]
        trial = parameters + np.clip(step, -1.0, 1.0)
        trial[:2] = np.clip(trial[:2], *bounds)
        trial[3] = max(trial[3], narrowest)
        trial_error = float(np.sum((root * (_model(trial, x) - y)) ** 2))
        if trial_error < error:
            done = error - trial_error <= 1e-12 * error
            parameters, error, damping = trial, trial_error, damping / 4
            if done:
                break
        else:
            damping *= 8
            if damping > 1e12:
                break
    return parameters


def _jacobian(parameters: Array, x: Array) -> Array:
    low, high, center, log_width = parameters
    width = math.exp(log_width)
    z = (x - center) / width
    shape = _shape(z)
    density = np.exp(-0.5 * np.minimum(z * z, 1400.0)) / math.sqrt(2 * math.pi)
    rise = high - low
    return np.stack([1 - shape, shape, -rise * density / width, -rise * density * z], axis=1)
