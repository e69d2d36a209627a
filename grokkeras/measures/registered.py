"""Every measure by name: which of its file's functions it is, of what.

Their descriptions stand in `grokkeras.config.measures`, which the command line reads without NumPy.
Adding one here and there is all it takes; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grokkeras.measures.effective_rank import rank_of_spectrum
from grokkeras.measures.gradients import commutator_defect, gradient_entropy, norm
from grokkeras.measures.groups import SymmetricGroup
from grokkeras.measures.heavy_tail import exponent_of_spectrum
from grokkeras.measures.observed import Measure, Observed, Value
from grokkeras.measures.spectrum import gini, inverse_participation_ratio
from grokkeras.measures.symmetric_spectrum import partitions
from grokkeras.measures.weight_norm import weight_norm
from grokkeras.registry import Registry

MEASURES: Registry[Measure] = Registry("measure")

_COMMUTATOR_ROWS = 512
_COMMUTATOR_PAIRS = 9
# A step's length beside the weights': to first order the defect does not depend on it, but a rate
# would make steps that float32 rounds away once the gradient is small.
_COMMUTATOR_STEP = 1e-3


def _add(name: str, function: Callable[[Observed], Value], costly: bool = False) -> None:
    MEASURES.register(name)(Measure(function, costly))


def _layer_norms(seen: Observed) -> dict[str, float]:
    layers: dict[str, list[np.ndarray]] = {}
    for path, weight in zip(seen.paths, seen.weights, strict=False):
        layers.setdefault(path.rpartition("/")[0] or path, []).append(weight)
    return {layer: weight_norm(weights) for layer, weights in layers.items()}


def _gap(seen: Observed) -> float | None:
    if "loss" not in seen.val or "loss" not in seen.train:
        return None
    return seen.val["loss"] - seen.train["loss"]


def _representations(seen: Observed) -> dict[str, float] | None:
    if not isinstance(seen.group, SymmetricGroup) or seen.spectrum is None:
        return None
    degree = seen.group.permutations.shape[1]
    names = ["".join(map(str, each)) for each in partitions(degree) if each != (degree,)]
    total = float(seen.spectrum.sum()) or 1.0
    return {name: float(each) / total for name, each in zip(names, seen.spectrum, strict=True)}


def _tail(seen: Observed) -> float | None:
    found = [exponent_of_spectrum(values) for values in seen.matrix_spectra.values()]
    return min((each for each in found if each is not None), default=None)


def _commutator(seen: Observed) -> float | None:
    gradients = seen.gradients
    if gradients is None or seen.num_examples < 2:
        return None
    generator = np.random.default_rng(0)  # the same pairs of batches at every evaluation
    rows = min(_COMMUTATOR_ROWS, seen.num_examples // 2)
    start = [np.array(weight) for weight in seen.weights]
    length = norm(start)

    defects = []
    for _ in range(_COMMUTATOR_PAIRS):
        drawn = generator.permutation(seen.num_examples)
        first, second = drawn[:rows], drawn[rows : 2 * rows]
        by_first, by_second = gradients(None, first), gradients(None, second)
        size = norm(by_first)
        if not size > 0:
            return 0.0
        rate = _COMMUTATOR_STEP * length / size
        a, b = _moved(start, by_first, rate), _moved(start, by_second, rate)
        ab = _moved(a, gradients(a, second), rate)
        ba = _moved(b, gradients(b, first), rate)
        defects.append(commutator_defect(start, a, b, ab, ba))
    return float(np.median(defects))


def _moved(
    weights: Sequence[np.ndarray], gradient: Sequence[np.ndarray], rate: float
) -> list[np.ndarray]:
    """The weights after a step against the gradient."""
    pairs = zip(weights, gradient, strict=True)
    return [w - np.asarray(rate * g, w.dtype) for w, g in pairs]


_add("weight_norm", lambda seen: weight_norm(seen.weights))
_add("weight_norm_by_layer", _layer_norms)
_add("logit_scale", lambda seen: seen.train.get("logit_scale"))
_add("softmax_collapse", lambda seen: seen.train.get("softmax_collapse"))
_add("generalization_gap", _gap)
_add(
    "embedding_ipr",
    lambda seen: None if seen.spectrum is None else inverse_participation_ratio(seen.spectrum),
)
_add("embedding_gini", lambda seen: None if seen.spectrum is None else gini(seen.spectrum))
_add("embedding_representations", _representations)
_add(
    "effective_rank",
    lambda seen: {path: rank_of_spectrum(each) for path, each in seen.matrix_spectra.items()},
    costly=True,
)
_add("heavy_tail_exponent", _tail, costly=True)
_add(
    "restricted_loss", lambda seen: seen.frequency_losses and seen.frequency_losses[0], costly=True
)
_add("excluded_loss", lambda seen: seen.frequency_losses and seen.frequency_losses[1], costly=True)
_add(
    "gradient_norm",
    lambda seen: None if seen.gradient is None else norm(seen.gradient),
    costly=True,
)
_add(
    "gradient_entropy",
    lambda seen: None if seen.gradient is None else gradient_entropy(seen.gradient),
    costly=True,
)
_add("commutator_defect", _commutator, costly=True)
