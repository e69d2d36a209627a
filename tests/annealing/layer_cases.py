"""Each kind of dropout layer, at a rate that is a variable."""

from __future__ import annotations

import keras
import numpy as np
from annealing_parts import (
    TOKENS,
    ThirdParty,
    close,
    compiled,
)
from keras import layers, ops

from grokkeras import schedules
from grokkeras.annealing import anneal_dropout


def _alone(layer, shape):
    """A model of one layer."""
    return keras.Sequential([keras.Input(shape), layer])


def _at_rate(layer, x, rate):
    """The layer's training output at a rate that is a variable."""
    model = _alone(layer, x.shape[1:])
    anneal_dropout(model, rate)
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(x), training=True))


def case_dropout_masks_and_scale():
    x = np.full((256, 1024), 2.0, "float32")
    for rate in (0.001, 0.3, 0.9, 0.99):
        y = _at_rate(layers.Dropout(0.5), x, rate)
        close([np.mean(y == 0)], [rate], x.size)
        # Bits round the rate by 2**-17 at most, and the factor goes by the rounded rate.
        np.testing.assert_allclose(y[y != 0], 2 / (1 - rate), rtol=2**-17 / (1 - rate) + 1e-6)


def case_rates_of_0_and_1():
    x = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")
    np.testing.assert_array_equal(_at_rate(layers.Dropout(0.5), x, 0.0), x)
    np.testing.assert_array_equal(_at_rate(layers.Dropout(0.5), x, 1.0), 0 * x)
    np.testing.assert_array_equal(_at_rate(layers.SpatialDropout1D(0.5), x[:, :, None], 1.0), 0)
    np.testing.assert_allclose(_at_rate(layers.GaussianDropout(0.5), x, 0.0), x, rtol=1e-6)
    np.testing.assert_allclose(_at_rate(layers.AlphaDropout(0.5), x, 0.0), x, rtol=1e-6)
    for layer in (layers.GaussianDropout(0.5), layers.AlphaDropout(0.5)):
        assert np.isfinite(_at_rate(layer, x, 1.0)).all()


def case_trains_at_a_rate_of_1():
    """Nothing passes, nothing is NaN: the gradient's factor 1 / (1 - rate) must stay finite."""
    for policy in ("float32", "mixed_float16"):
        dropout = layers.Dropout(0.5, dtype=policy)
        model = keras.Sequential([keras.Input((8,)), layers.Dense(8), dropout, layers.Dense(1)])
        model.compile("sgd", "mse")
        before = model.get_weights()
        anneal_dropout(model, 1.0)
        model.fit(np.ones((4, 8)), np.ones((4, 1)), verbose=0)
        after = model.get_weights()
        assert all(np.isfinite(w).all() for w in after)
        np.testing.assert_array_equal(before[0], after[0])


def case_noise_shape():
    x = np.ones((64, 5, 256), "float32")
    y = _at_rate(layers.Dropout(0.5, noise_shape=(None, 1, None)), x, 0.25)
    assert (y == y[:, :1]).all()
    close([np.mean(y[:, 0] == 0)], [0.25], 64 * 256)
    y = _at_rate(layers.Dropout(0.5, noise_shape=(64, 1, 256)), x, 0.25)
    assert (y == y[:, :1]).all()


def case_spatial():
    y = _at_rate(layers.SpatialDropout1D(0.5), np.ones((64, 7, 256), "float32"), 0.25)
    assert (y == y[:, :1]).all()
    close([np.mean(y[:, 0] == 0)], [0.25], 64 * 256)
    two = np.ones((64, 3, 4, 256), "float32")
    y = _at_rate(layers.SpatialDropout2D(0.5, data_format="channels_last"), two, 0.25)
    assert (y == y[:, :1, :1]).all()
    close([np.mean(y[:, 0, 0] == 0)], [0.25], 64 * 256)
    first = np.ones((64, 256, 3, 4), "float32")
    y = _at_rate(layers.SpatialDropout2D(0.5, data_format="channels_first"), first, 0.25)
    assert (y == y[:, :, :1, :1]).all()
    assert 0.2 < np.mean(y[:, :, 0, 0] == 0) < 0.3
    three = np.ones((64, 2, 3, 2, 256), "float32")
    y = _at_rate(layers.SpatialDropout3D(0.5, data_format="channels_last"), three, 0.25)
    assert (y == y[:, :1, :1, :1]).all()
    close([np.mean(y[:, 0, 0, 0] == 0)], [0.25], 64 * 256)


def case_gaussian():
    y = _at_rate(layers.GaussianDropout(0.5), np.full((256, 1024), 3.0, "float32"), 0.2) / 3
    assert abs(y.mean() - 1) < 5 * 0.5 / 512, y.mean()
    assert abs(y.std() - 0.5) < 0.005, y.std()


def case_alpha():
    x = np.random.default_rng(0).normal(size=(256, 1024)).astype("float32")
    y = _at_rate(layers.AlphaDropout(0.5), x, 0.3)
    saturated, counts = np.unique(y, return_counts=True)
    close([counts.max() / y.size], [0.3], y.size)
    # Mean and variance stay (Klambauer et al. 2017); the dropped sit at one value.
    np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=0.02)
    dropped = saturated[counts.argmax()]
    stock = layers.AlphaDropout(0.3, seed=0)(ops.convert_to_tensor(x), training=True)
    values, counts = np.unique(ops.convert_to_numpy(stock), return_counts=True)
    np.testing.assert_allclose(dropped, values[counts.argmax()], rtol=1e-4)


def case_inference_is_the_identity():
    model = compiled(ThirdParty())
    expected = ops.convert_to_numpy(model(TOKENS))
    anneal_dropout(model, schedules.Linear(0.9, 0.1, steps=10))
    np.testing.assert_array_equal(ops.convert_to_numpy(model(TOKENS)), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(TOKENS, training=False)), expected)
    np.testing.assert_allclose(model.predict(TOKENS, verbose=0), expected, rtol=1e-4, atol=1e-5)


def case_attention_drops():
    """With a rate of 1 nothing of the values is left but the output's bias."""
    x = np.random.default_rng(0).normal(size=(2, 5, 16)).astype("float32")
    for kind in (
        layers.MultiHeadAttention(2, 8, dropout=0.5),
        layers.GroupQueryAttention(8, 4, 2, dropout=0.5),
    ):
        inputs = keras.Input((5, 16))
        model = keras.Model(inputs, kind(inputs, inputs))
        annealed = anneal_dropout(model, 1.0)
        assert len(annealed.changed) == 1, annealed
        np.testing.assert_allclose(ops.convert_to_numpy(model(x, training=True)), 0, atol=1e-6)
        annealed.set_rate(0.0)
        expected = ops.convert_to_numpy(model(x, training=False))
        y = ops.convert_to_numpy(model(x, training=True))
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
        assert np.abs(expected).max() > 1e-3
