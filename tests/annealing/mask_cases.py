"""The random masks themselves, and what the layers count on in Keras."""

from __future__ import annotations

import keras
import numpy as np
from annealing_parts import BACKEND, number
from keras import layers, ops

from grokkeras.annealing import mask
from grokkeras.keras_compat.hidden_variable import hide, scalar, unhide

ROWS, COLUMNS = 1000, 512


def _mix(word):
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        word = (word ^ (word >> np.uint32(shift))) * np.uint32(factor)
    return word ^ (word >> np.uint32(16))


def _by_numpy(shape, seed, count):
    """`random_bits` once more, without Keras."""
    with np.errstate(over="ignore"):
        golden = np.uint32(0x9E3779B9)
        first = _mix(_mix(np.array([seed], "uint32")) + np.array([count], "uint32") * golden)
        second = _mix(first + golden)
        places = np.arange(np.prod(shape), dtype="uint32").reshape(shape)
        return (_mix(_mix(places + first) ^ second) >> np.uint32(8)).astype("int32")


def case_bits_are_those_of_the_formula():
    if BACKEND == "torch":
        return
    for shape, seed, count in (((7, 5), 0, 0), ((3, 4, 6), 12345, 7), ((11,), 2**31 + 5, 2**20)):
        pair = ops.convert_to_tensor(np.array([seed, count], "uint32"))
        drawn = ops.convert_to_numpy(mask.random_bits(shape, pair))
        np.testing.assert_array_equal(drawn, _by_numpy(shape, seed, count))
    assert _by_numpy((2, 2), 1, 2).max() < 2**24


def _kept(rate, seeds, shape=(ROWS, COLUMNS)):
    rate = mask.rounded(ops.convert_to_tensor(rate, "float32"))
    return ops.convert_to_numpy(mask.keep_mask(shape, rate, seeds)).astype("float64")


def _normal(scores, most=4.5):
    """Scores that should be standard normal."""
    scores = np.asarray(scores)
    assert np.abs(scores).max() < most, np.abs(scores).max()
    assert 0.7 < scores.std() < 1.3, scores.std()


def case_shares_are_binomial():
    scores = []
    for seed in range(6):
        seeds = keras.random.SeedGenerator(seed)
        for rate in (0.01, 0.1, 0.5, 0.9, 0.99) * 3:
            dropped = 1 - _kept(rate, seeds).mean()
            scores.append((dropped - rate) / np.sqrt(rate * (1 - rate) / (ROWS * COLUMNS)))
    _normal(scores)


def case_masks_are_independent():
    """Of the step before, of other seeds, of neighbours, within rows and columns."""
    rate, scores = 0.3, []
    root = np.sqrt(ROWS * COLUMNS)
    centred = {}
    for seed in (0, 1, 2, 3, 1000):
        seeds = keras.random.SeedGenerator(seed)
        for step in range(4):
            centred[seed, step] = (_kept(rate, seeds) - 0.7) / np.sqrt(0.21)
    keys = list(centred)
    for place, one in enumerate(keys):
        scores += [(centred[one] * centred[two]).mean() * root for two in keys[:place]]
        flat = centred[one].ravel()
        for lag in (1, 2, 3, 4, 8, 16, 64, COLUMNS, COLUMNS + 1, 4096):
            scores.append((flat[lag:] * flat[:-lag]).mean() * np.sqrt(flat.size - lag))
        for axis in (0, 1):
            sums = centred[one].sum(axis) / np.sqrt(centred[one].shape[axis])
            scores.append((np.mean(sums**2) - 1) * np.sqrt(sums.size / 2))
    assert len(scores) > 400
    _normal(scores)


def case_an_element_is_independent_over_time():
    seeds = keras.random.SeedGenerator(5)
    steps = np.stack([_kept(0.5, seeds, (64,)) for _ in range(800)]) * 2 - 1
    root = np.sqrt(len(steps))
    _normal(steps.mean(0) * root)
    pairs = (steps.T @ steps / root)[np.triu_indices(64, 1)]
    _normal(pairs, most=5)
    _normal((steps[1:] * steps[:-1]).mean(0) * root)


def case_a_size_that_the_trace_does_not_know():
    if BACKEND != "tensorflow":
        return
    import tensorflow as tf

    seeds = keras.random.SeedGenerator(5)
    start = number(seeds.state[1])

    @tf.function(input_signature=[tf.TensorSpec((None, None), "float32")])
    def dropped(x):
        return mask.drop(x, tf.constant(0.25), tf.shape(x), seeds)

    for shape in ((3, 5), (64, 33)):
        y = dropped(tf.ones(shape)).numpy()
        bits = _by_numpy(shape, 5, int(start))
        np.testing.assert_array_equal(y != 0, bits >= 2**22)
        start += 1


def case_hidden_variables():
    """What `hidden_variable` counts on: `variables` lists seed states and `weights` does not."""
    layer = layers.Dropout(0.5)
    model = keras.Sequential([keras.Input((2,)), layer, layers.Dense(1)])
    weights, variables = len(model.weights), len(model.variables)
    variable = scalar(0.25, "hidden")
    holder = hide(layer, variable)
    assert len(model.weights) == weights
    assert len(model.variables) == variables + 1
    assert any(v is variable for v in model.non_trainable_variables)
    assert keras.backend.standardize_dtype(variable.dtype) == "float32"
    unhide(layer, holder)
    assert len(model.variables) == variables


def case_keras_still_has_what_the_layers_need():
    """What `keras_compat/dropout.py` reaches into."""
    attention = layers.MultiHeadAttention(1, 2, dropout=0.25)
    grouped = layers.GroupQueryAttention(4, 2, 1, dropout=0.25)
    for layer, name in ((attention, "_dropout"), (grouped, "dropout")):
        layer.build((1, 3, 4), (1, 3, 4))
        assert vars(layer)[name] == 0.25
        assert isinstance(layer._dropout_layer, layers.Dropout)
        assert layer.get_config()["dropout"] == 0.25
    for kind in (layers.Dropout, layers.GaussianDropout, layers.AlphaDropout):
        # A rate of 0 has no seed generator; the rate is an attribute that stays beneath ours.
        assert "seed_generator" not in vars(kind(0.0))
        assert vars(kind(0.5))["rate"] == 0.5
    spatial = (layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D)
    assert len({kind.call for kind in spatial}) == 1
