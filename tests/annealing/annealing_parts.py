"""Models that are not ours, and instruments, for the cases of this folder."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from grokkeras import schedules

BACKEND = keras.backend.backend()
if BACKEND == "torch":
    import torch

    torch.set_num_threads(1)

WIDTH = 2048


class Probe(keras.layers.Layer):
    """Passes its input on; keeps the share of zeros and the mean of the last training call."""

    def build(self, shape):
        self.share = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.share.assign(ops.mean(ops.cast(ops.equal(x, 0), "float32")))
            self.mean.assign(ops.mean(ops.cast(x, "float32")))
        return x


class Shares(keras.callbacks.Callback):
    """The probe's share of zeros and mean after each batch hook, and the step."""

    def __init__(self, probe):
        super().__init__()
        self.probe = probe
        self.shares, self.means, self.steps = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(number(self.model.optimizer.iterations))
        self.shares.append(number(self.probe.share))
        self.means.append(number(self.probe.mean))


class Counted(schedules.Linear):
    """Counts how often it is asked within a step: once a layer and trace."""

    asked = 0

    def at(self, now):
        if not isinstance(now.step, float):
            type(self).asked += 1
        return super().at(now)


def number(value):
    return float(ops.convert_to_numpy(getattr(value, "value", value)))


def ones(rows):
    return np.ones((rows, WIDTH), "float32"), np.zeros((rows, 1), "float32")


def probed(dropout, **compile_arguments):
    """A compiled model of dropout, probe and a dense layer; and the probe."""
    probe = Probe()
    model = keras.Sequential([keras.Input((WIDTH,)), dropout, probe, keras.layers.Dense(1)])
    model.compile(**({"optimizer": keras.optimizers.SGD(1e-7), "loss": "mse"} | compile_arguments))
    return model, probe


def fit(model, probe, steps, *callbacks, rows=32, epochs=1):
    """`steps` an epoch; what the probe saw."""
    shares = Shares(probe)
    x, y = ones(rows * steps)
    model.fit(
        x, y, batch_size=rows, epochs=epochs, shuffle=False, verbose=0,
        callbacks=[*callbacks, shares],
    )  # fmt: skip
    return shares


def close(shares, rates, count=32 * WIDTH):
    """Shares of `count` zeros drawn at these rates, within 5 standard deviations."""
    assert len(shares) == len(rates), (len(shares), len(rates))
    for place, (share, rate) in enumerate(zip(shares, rates, strict=True)):
        allowed = 5 * np.sqrt(rate * (1 - rate) / count) + 1e-4
        assert abs(share - rate) <= allowed, (place, share, rate, list(shares))


def linear(start, end, steps, count):
    """The values of `Linear(start, end, steps)` at the first `count` steps."""
    return [start + (end - start) * min(k / steps, 1) for k in range(count)]


class Block(keras.layers.Layer):
    """A transformer block as people write it: attention, dropout used twice, two dense layers."""

    def __init__(self, rate=0.1, attention_rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(2, 8, dropout=attention_rate)
        self.drop = keras.layers.Dropout(rate)
        self.feed = keras.Sequential(
            [keras.layers.Dense(32, activation="relu"), keras.layers.Dropout(rate)]
        )
        self.out = keras.layers.Dense(16)

    def build(self, shape):
        self.attention.build(shape, shape)
        self.feed.build(shape)
        self.out.build((*shape[:-1], 32))

    def call(self, x, training=False):
        x = x + self.drop(self.attention(x, x, training=training), training=training)
        return x + self.drop(self.out(self.feed(x, training=training)), training=training)


class ThirdParty(keras.Model):
    """A subclassed model with blocks in a list and a functional part."""

    def __init__(self, rate=0.1, attention_rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.embed = keras.layers.Embedding(11, 16)
        self.blocks = [Block(rate, attention_rate, name=f"block_{k}") for k in range(2)]
        inputs = keras.Input((4, 16))
        hidden = keras.layers.SpatialDropout1D(rate, name="maps")(inputs)
        self.head = keras.Model(inputs, keras.layers.Dense(3)(hidden[:, -1]), name="head")

    def call(self, tokens, training=False):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(x, training=training)


TOKENS = np.random.default_rng(0).integers(0, 11, (64, 4)).astype("int32")
ANSWERS = (TOKENS.sum(1) % 3).astype("int32")


def compiled(model, **arguments):
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **arguments,
    )
    return model
