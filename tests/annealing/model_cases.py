"""`anneal_dropout` on whole models: what changes, what cannot and why, what a file holds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import keras
import numpy as np
from annealing_parts import (
    ANSWERS,
    BACKEND,
    TOKENS,
    Block,
    ThirdParty,
    compiled,
    number,
)
from helpers import refused
from keras import layers, ops

from grokkeras import schedules
from grokkeras.annealing import anneal_dropout
from grokkeras.keras_compat.dropout import follows


def _alone(layer, shape):
    """A model of one layer."""
    return keras.Sequential([keras.Input(shape), layer])


def case_finds_all_dropout_of_a_subclassed_model():
    model = compiled(ThirdParty())
    model(TOKENS)
    annealed = anneal_dropout(model, schedules.Linear(0.9, 0.1, steps=10))
    assert len(annealed.changed) == 7, annealed.changed
    for path in ("block_0/drop", "block_1/multi_head_attention", "head/maps"):
        assert any(path in changed for changed in annealed.changed), (path, annealed.changed)
    assert annealed.unchanged == {}
    # A layer that is called twice a step is one layer, and its rate one rate.
    history = model.fit(TOKENS, ANSWERS, epochs=2, batch_size=16, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert annealed.never_called() == ()
    assert abs(annealed.rate - 0.26) < 1e-6, annealed.rate
    assert all(abs(block.drop.rate - 0.26) < 1e-6 for block in model.blocks)


def case_functional_nested_and_wrapped():
    inner = keras.Sequential([keras.Input((8,)), layers.Dropout(0.2, name="in_sequential")])
    shared = layers.Dropout(0.2, name="shared")
    a, b = keras.Input((3, 8)), keras.Input((3, 8))
    x = layers.TimeDistributed(layers.GaussianDropout(0.2, name="timed"))(shared(a) + shared(b))
    x = layers.Bidirectional(layers.LSTM(4))(inner(x[:, 0])[:, None] + x)
    model = keras.Model([a, b], layers.AlphaDropout(0.2, name="alpha")(x))
    annealed = anneal_dropout(model, 0.6)
    assert {path.rsplit("/", 1)[-1] for path in annealed.changed} == {
        "in_sequential", "shared", "timed", "alpha"
    }, annealed.changed  # fmt: skip
    # The graph of a functional model still goes through the same objects.
    ones = np.ones((64, 3, 8), "float32")
    middle = keras.Model([a, b], shared(a))
    y = ops.convert_to_numpy(middle([ones, ones], training=True))
    assert 0.5 < np.mean(y == 0) < 0.7


def case_attention_keeps_its_rate_in_files():
    model = compiled(ThirdParty())
    model(TOKENS)
    annealed = anneal_dropout(model, schedules.Linear(0.4, 0.0, steps=8))
    attention = model.blocks[0].attention
    assert abs(attention.get_config()["dropout"] - 0.4) < 1e-6
    model.fit(TOKENS, ANSWERS, epochs=1, batch_size=16, verbose=0)
    assert abs(attention.get_config()["dropout"] - 0.2) < 1e-6
    written = keras.saving.serialize_keras_object(attention)
    assert (written["module"], written["class_name"]) == ("keras.layers", "MultiHeadAttention")
    annealed.restore()
    assert type(attention) is layers.MultiHeadAttention
    assert attention.get_config()["dropout"] == 0.1


class OwnCall(layers.Dropout):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


@keras.saving.register_keras_serializable(package="tests")
class Renamed(layers.Dropout):
    """A subclass that keeps Keras' call."""


class DropPath(layers.Layer):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.drop_rate = rate

    def call(self, x):
        return x


def case_says_what_cannot_change_and_why():
    inputs = keras.Input((5, 16))
    x = layers.LSTM(8, dropout=0.2, recurrent_dropout=0.3, return_sequences=True, name="rnn")(
        inputs
    )
    x = layers.GRU(8, return_sequences=True)(x)
    x = layers.MultiHeadAttention(2, 8, name="fused")(x, x)
    x = layers.Attention(dropout=0.4, name="luong")([x, x])
    x = OwnCall(0.1, name="own")(x)
    x = DropPath(0.25, name="path")(x)
    model = keras.Model(inputs, Renamed(0.5, name="kept")(layers.Dropout(0.0, name="none")(x)))
    annealed = anneal_dropout(model, schedules.Linear(0.5, 0.0, steps=3))
    # A layer made with a rate of 0 is a dropout layer all the same.
    assert annealed.changed == ("none", "kept"), annealed.changed
    reasons = annealed.unchanged
    assert set(reasons) == {"rnn/lstm_cell", "fused", "luong", "own", "path"}, reasons
    assert "dropout=0.2 and recurrent_dropout=0.3" in reasons["rnn/lstm_cell"]
    assert "dropout=0" in reasons["fused"]
    assert "never calls" in reasons["fused"]
    assert "dropout=0.4" in reasons["luong"]
    assert "call of its own" in reasons["own"]
    assert "drop_rate=0.25" in reasons["path"]
    for path, reason in reasons.items():
        assert path in str(annealed)
        assert reason in str(annealed)
    only = anneal_dropout(model, 0.2, where=lambda path, layer: path == "kept")
    assert only.changed == ("kept",)
    assert only.unchanged == {}
    written = keras.saving.serialize_keras_object(model.get_layer("kept"))
    assert written["registered_name"] == "tests>Renamed", written
    assert written["config"]["rate"] == 0.2 or abs(written["config"]["rate"] - 0.2) < 1e-7


def case_refuses():
    linear = schedules.Linear(0.5, 0.0, steps=10)
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    refused(lambda: anneal_dropout(plain, linear), "no dropout layer at all")
    recurrent = keras.Sequential([keras.Input((3, 2)), layers.LSTM(2, dropout=0.2)])
    refused(lambda: anneal_dropout(recurrent, linear), "lstm_cell", "dropout=0.2")
    model = _alone(layers.Dropout(0.5), (3,))
    refused(lambda: anneal_dropout(ThirdParty(), linear), "not", "built", "DropoutScheduler")
    for bad in (-0.1, 1.1, float("nan"), "much", True, None, [0.1]):
        refused(lambda bad=bad: anneal_dropout(model, bad), "0 to 1")
    refused(lambda: anneal_dropout(model, schedules.Linear(1.2, 0.0, steps=5)), "1.2")
    refused(lambda: anneal_dropout(model, schedules.Exponential(1.0, 2.0, steps=5)), "between 0")
    refused(lambda: anneal_dropout(model, schedules.HoldNorm(3.0)), "weight_norm")
    keras_schedule = keras.optimizers.schedules.ExponentialDecay(2.0, 10, 0.5)
    refused(lambda: anneal_dropout(model, keras_schedule), "from 0 to 2")
    refused(lambda: anneal_dropout(model, lambda step: 0.1), "DropoutScheduler")
    refused(lambda: anneal_dropout(model, {"schedule": "cosin", "start": 1.0}), "cosin")
    # Refusals leave the model alone.
    assert type(model.layers[0]) is layers.Dropout
    annealed = anneal_dropout(model, 0.5)
    for bad in (-0.1, 1.1, float("nan")):
        refused(lambda bad=bad: annealed.set_rate(bad), "0 to 1")
        refused(lambda bad=bad: setattr(model.layers[0], "rate", bad), "0 to 1")
    anneal_dropout(model, linear)
    refused(lambda: setattr(model.layers[0], "rate", 0.1), "follows Linear")


def case_other_forms_of_a_schedule():
    model = compiled(_alone(layers.Dropout(0.5), (3,)))
    config = {"schedule": "linear", "start": 0.5, "end": 0.0, "steps": 10}
    annealed = anneal_dropout(model, config)
    assert abs(annealed.rate_at(5) - 0.25) < 1e-7
    decay = keras.optimizers.schedules.ExponentialDecay(0.8, 10, 0.5)
    assert abs(anneal_dropout(model, decay).rate_at(10) - 0.4) < 1e-6


def case_looks_like_the_stock_layer():
    model = _alone(layers.Dropout(0.5, name="drop", seed=3), (3,))
    layer = model.layers[0]
    names = [v.path for v in model.variables]
    annealed = anneal_dropout(model, 0.25)
    assert isinstance(layer, layers.Dropout)
    assert layer.__class__ is layers.Dropout
    assert "Dropout" in repr(layer)
    assert layer.rate == 0.25
    config = layer.get_config()
    assert config["rate"] == 0.25
    assert type(config["rate"]) is float
    assert keras.layers.Dropout.from_config(config).rate == 0.25
    copy = keras.models.clone_model(model).layers[0]
    assert type(copy) is layers.Dropout
    assert copy.rate == 0.25
    assert model.weights == []
    assert model.count_params() == 0
    annealed.restore()
    assert type(layer) is layers.Dropout
    assert layer.rate == 0.5
    assert [v.path for v in model.variables] == names
    assert not follows(layer)
    assert not [name for name in vars(layer) if "grokkeras" in name]


def case_restores_a_layer_that_was_made_with_0():
    model = _alone(layers.Dropout(0.0), (3,))
    annealed = anneal_dropout(model, 0.5)
    y = ops.convert_to_numpy(model(np.ones((512, 3), "float32"), training=True))
    assert 0.3 < np.mean(y == 0) < 0.7
    annealed.restore()
    assert not hasattr(model.layers[0], "seed_generator")
    assert model.variables == []


def case_a_file_holds_a_stock_model():
    inputs = keras.Input((8,))
    x = layers.Dense(8, activation="relu")(inputs)
    x = layers.GaussianDropout(0.1)(layers.Dropout(0.1, seed=4, name="drop")(x))
    x = layers.Reshape((4, 2))(x)
    x = layers.SpatialDropout1D(0.1)(layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    model.compile("adam", "mse")
    anneal_dropout(model, schedules.Linear(0.5, 0.1, steps=8))
    data = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")
    model.fit(data, data[:, :2], batch_size=8, verbose=0)
    expected = model.predict(data, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        model.save(path / "model.keras")
        model.save_weights(path / "w.weights.h5")
        np.savez(path / "data.npz", data=data, expected=expected)
        code = f"""
            import sys, numpy as np, keras
            path = {folder!r}
            model = keras.saving.load_model(path + "/model.keras")
            data = np.load(path + "/data.npz")
            np.testing.assert_allclose(model.predict(data["data"], verbose=0), data["expected"],
                                       rtol=1e-5, atol=1e-6)
            rates = [l.rate for l in model.layers if hasattr(l, "rate")]
            attention = next(l for l in model.layers if hasattr(l, "num_heads"))
            for rate in [*rates, attention.dropout, attention._dropout_layer.rate]:
                assert type(rate) is float and abs(rate - 0.3) < 1e-6, rate
            assert len(rates) == 3 and type(model.get_layer("drop")) is keras.layers.Dropout
            assert int(model.optimizer.iterations) == 4
            model.fit(data["data"], data["expected"], verbose=0)
            model.load_weights(path + "/w.weights.h5")
            model.save_weights(path + "/stock.weights.h5")
            assert not any(name.startswith("grokkeras") for name in sys.modules)
        """
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=folder, env=env, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        model.load_weights(path / "stock.weights.h5")
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)


def case_exports_like_the_stock_model():
    if BACKEND == "torch":
        return  # Keras cannot export a SavedModel from PyTorch (facts/serving).
    import tensorflow as tf

    model = keras.Sequential([keras.Input((8,)), layers.Dropout(0.5), layers.Dense(2)])
    model.compile("sgd", "mse")
    anneal_dropout(model, schedules.OnEvent("grokking", 0.5, 0.1))
    data = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    model.fit(data, data[:, :2], verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        loaded = tf.saved_model.load(folder)
        served = loaded.serve(data)
    np.testing.assert_allclose(served, model.predict(data, verbose=0), rtol=1e-5, atol=1e-6)


def case_a_block_on_its_own():
    """A layer that is no model, within a model that was built by hand."""
    block = Block(rate=0.2)
    block(np.zeros((1, 4, 16), "float32"))
    annealed = anneal_dropout(block, 0.5)
    assert len(annealed.changed) == 3
    y = block(np.ones((8, 4, 16), "float32"), training=True)
    assert np.isfinite(number(ops.mean(y)))
