"""The published rules in NumPy and float64, written anew from papers and the authors' behaviour.

None of this imports the package. A transform is a function (gradients, weights) -> gradients, an
optimizer (weights, gradients) -> weights, a constraint has `begin(weights)` and
`after(weights, weights before the step)`.
"""

from __future__ import annotations

from collections import deque

import numpy as np


def sgd(rate):
    return lambda weights, gradients: [
        w - rate * g for w, g in zip(weights, gradients, strict=True)
    ]


class AdamW:
    """Keras' AdamW: epsilon enters before the bias correction, decay comes first."""

    def __init__(self, rates, decays, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.rates, self.decays = rates, decays
        self.betas, self.epsilon = (beta_1, beta_2), epsilon
        self.step = 0
        self.moments = None

    def __call__(self, weights, gradients):
        first, second = self.betas
        if self.moments is None:
            self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
        self.step += 1
        correction = np.sqrt(1 - second**self.step) / (1 - first**self.step)
        after = []
        for place, (w, g) in enumerate(zip(weights, gradients, strict=True)):
            m, v = self.moments[place]
            m = first * m + (1 - first) * g
            v = second * v + (1 - second) * g * g
            self.moments[place] = m, v
            rate = self.rates[place]
            w = w - rate * self.decays[place] * w
            after.append(w - rate * correction * m / (np.sqrt(v) + self.epsilon))
        return after


class GrokfastEMA:
    """`gradfilter_ema`: the dictionary starts as the first gradients, and is averaged at once."""

    def __init__(self, alpha=0.98, lamb=2.0):
        self.alpha, self.lamb = alpha, lamb
        self.means = None

    def __call__(self, gradients, weights):
        if self.means is None:
            self.means = [g.copy() for g in gradients]
        self.means = [
            m * self.alpha + g * (1 - self.alpha)
            for m, g in zip(self.means, gradients, strict=True)
        ]
        return [g + m * self.lamb for g, m in zip(gradients, self.means, strict=True)]


class GrokfastMA:
    """`gradfilter_ma` with `warmup=True`: a queue of raw gradients, used once it is full."""

    def __init__(self, window=100, lamb=5.0):
        self.queue = deque(maxlen=window)
        self.lamb = lamb

    def __call__(self, gradients, weights):
        self.queue.append(gradients)
        if len(self.queue) < self.queue.maxlen:
            return gradients
        means = [sum(entries) / len(self.queue) for entries in zip(*self.queue, strict=True)]
        return [g + m * self.lamb for g, m in zip(gradients, means, strict=True)]


def orthograd(gradients, weights):
    """`_orthogonalize_gradients`, but for gradients that lie along the weights: there it is 0."""
    after = []
    for g, w in zip(gradients, weights, strict=True):
        across = g - np.sum(w * g) / (np.sum(w * w) + 1e-30) * w
        left = np.linalg.norm(across)
        share = np.linalg.norm(g) / (left + 1e-30) if left > 1e-6 * np.linalg.norm(g) else 0.0
        after.append(across * share)
    return after


def egalitarian(place, epsilon=1e-6):
    """`egd_update`, with a smooth floor on the singular values."""

    def apply(gradients, weights):
        u, s, v = np.linalg.svd(gradients[place], full_matrices=False)
        equal = (u * (s / np.sqrt(s**2 + epsilon**2))) @ v
        return [equal if i == place else g for i, g in enumerate(gradients)]

    return apply


def coupled_decay(decay):
    return lambda gradients, weights: [
        g + decay * w for g, w in zip(gradients, weights, strict=True)
    ]


def clip(bound):
    def apply(gradients, weights):
        norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
        return [g * min(1.0, bound / norm) for g in gradients]

    return apply


class Noise:
    """Lowbias32 in uint32, Box and Muller, as `counted_noise` describes them."""

    def __init__(self, stddev, decay, seed):
        self.stddev, self.decay, self.first = stddev, decay, seed * 65537
        self.step = 0

    def __call__(self, gradients, weights):
        scale = self.stddev / (1 + self.step) ** (self.decay / 2)
        noisy = [
            g + scale * normal(g.shape, self.first + place, self.step)
            for place, g in enumerate(gradients)
        ]
        self.step += 1
        return noisy


def _lowbias32(x):
    x = np.asarray(x, "uint32")
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def normal(shape, key, step):
    size = int(np.prod(shape))
    with np.errstate(over="ignore"):
        start = _lowbias32(np.uint32(step) + _lowbias32(key))
        counters = np.arange(2 * size, dtype="uint32") * np.uint32(0x9E3779B9)
    bits = _lowbias32(_lowbias32(counters) ^ start)
    uniform = ((bits >> np.uint32(8)).astype("float64") + 0.5) / 2**24
    radius = np.sqrt(-2 * np.log(uniform[:size]))
    return (radius * np.cos(2 * np.pi * uniform[size:])).reshape(shape)


class NormCap:
    def __init__(self, capped, factor=1.0):
        self.capped, self.factor = capped, factor
        self.norms = None

    def begin(self, weights):
        self.norms = [np.linalg.norm(w) for w in weights]

    def after(self, weights, before):
        bounds = [self.factor * norm for norm in self.norms]
        return [
            w * min(1.0, bound / np.linalg.norm(w)) if capped else w
            for w, bound, capped in zip(weights, bounds, self.capped, strict=True)
        ]


class WeightNorm:
    def __init__(self, scale):
        self.scale = scale

    def begin(self, weights):
        self.norm = self.scale * np.sqrt(sum(np.sum(w * w) for w in weights))

    def after(self, weights, before):
        norm = np.sqrt(sum(np.sum(w * w) for w in weights))
        return [w * self.norm / norm for w in weights]


def newton_schulz(x, steps=5):
    """Jordan's `zeropower_via_newtonschulz5`, in float64."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon:
    """Jordan's `muon_update` for weights with a matrix (inputs, outputs), AdamW for the others.

    Jordan's momentum is a mean, Keras' a sum; the direction, which is all that counts, is the same.
    """

    def __init__(self, matrices, rate, ratio, decay, adam_decay, scale):
        self.matrices, self.rate, self.decay, self.scale = matrices, rate, decay, scale
        count = len(matrices)
        self.adam = AdamW([rate * ratio] * count, [adam_decay] * count)
        self.means = None

    def __call__(self, weights, gradients):
        if self.means is None:
            self.means = [np.zeros_like(w) for w in weights]
        after = self.adam(weights, gradients)
        for place, matrix in enumerate(self.matrices):
            if matrix is None:
                continue
            w, g = weights[place], gradients[place]
            self.means[place] = 0.95 * self.means[place] + 0.05 * g
            nesterov = 0.05 * g + 0.95 * self.means[place]
            inputs, outputs = matrix
            sizes = {
                "rms": 0.2 * np.sqrt(max(inputs, outputs)),
                "spectral": np.sqrt(max(1.0, outputs / inputs)),
            }
            update = newton_schulz(nesterov.reshape(matrix)).reshape(w.shape) * sizes[self.scale]
            after[place] = w * (1 - self.rate * self.decay) - self.rate * update
        return after
