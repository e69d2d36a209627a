"""`DropoutScheduler` in stock `fit`, alone and beside other callbacks."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
from annealing_parts import (
    ANSWERS,
    BACKEND,
    TOKENS,
    WIDTH,
    Counted,
    ThirdParty,
    close,
    compiled,
    fit,
    linear,
    number,
    ones,
    probed,
)
from helpers import refused
from keras import layers

from grokkeras import schedules
from grokkeras.annealing import anneal_dropout
from grokkeras.callbacks import GrokkingDetector
from grokkeras.callbacks.dropout import DropoutScheduler
from grokkeras.detection import Event


def case_scheduler_acts_during_fit_only():
    layer = layers.Dropout(0.5)
    model, probe = probed(layer)
    close(fit(model, probe, 2).shares, [0.5] * 2)
    scheduler = DropoutScheduler(Counted(0.9, 0.0, steps=10))
    close(fit(model, probe, 3, scheduler).shares, linear(0.9, 0.0, 10, 5)[2:])
    assert type(layer) is layers.Dropout
    assert layer.rate == 0.5
    assert scheduler.annealed.changed == (layer.name,)
    assert "train_step" not in vars(model)
    close(fit(model, probe, 2).shares, [0.5] * 2)
    # The step that was compiled for it serves again.
    Counted.asked = 0
    close(fit(model, probe, 2, scheduler).shares, linear(0.9, 0.0, 10, 9)[7:])
    assert Counted.asked <= 2 or BACKEND == "torch", Counted.asked
    close(fit(model, probe, 2).shares, [0.5] * 2)


def case_scheduler_writes_the_logs():
    model, _probe = probed(layers.Dropout(0.5))
    x, y = ones(64)
    callbacks = [DropoutScheduler(schedules.Linear(0.8, 0.0, steps=4))]
    history = model.fit(x, y, batch_size=32, epochs=3, verbose=0, callbacks=callbacks).history
    np.testing.assert_allclose(history["dropout_rate"], [0.6, 0.2, 0.0], atol=1e-6)
    named = DropoutScheduler(0.3, log_name="rate")
    assert "rate" in model.fit(x, y, verbose=0, callbacks=[named]).history


def case_scheduler_takes_a_python_callable():
    asked = []

    def rate(step):
        asked.append(step)
        return 0.9 - 0.2 * step

    model, probe = probed(layers.Dropout(0.5))
    scheduler = DropoutScheduler(rate)
    close(fit(model, probe, 2, scheduler, epochs=2).shares, [0.9, 0.7, 0.5, 0.3])
    assert asked == [0, 1, 2, 3]
    assert all(type(step) is int for step in asked)
    model, probe = probed(layers.Dropout(0.5))
    refused(lambda: fit(model, probe, 2, DropoutScheduler(lambda step: 1.5)), "1.5")
    if BACKEND != "torch":
        model, probe = probed(layers.Dropout(0.5), steps_per_execution=2)
        refused(
            lambda: fit(model, probe, 2, DropoutScheduler(rate)),
            "steps_per_execution=2", "schedules.",
        )  # fmt: skip
    refused(DropoutScheduler(rate).check_many_steps, "grokkeras.run")


class Confirms(keras.callbacks.Callback):
    """Stands for a detector that confirms memorization after the second epoch."""

    def __init__(self):
        super().__init__()
        self.events = []

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.events.append(Event(2, "memorization", {"confirmed_step": 4}))


def case_scheduler_follows_a_detector():
    schedule = schedules.OnEvent("memorization", 0.1, 0.8)
    for first in (True, False):
        detector = Confirms()
        scheduler = DropoutScheduler(schedule, detector=detector)
        order = [detector, scheduler] if first else [scheduler, detector]
        model, probe = probed(layers.Dropout(0.5))
        close(fit(model, probe, 2, *order, epochs=3).shares, [0.1] * 4 + [0.8] * 2)
    model, probe = probed(layers.Dropout(0.5))
    known = DropoutScheduler(schedule, events={"memorization": 1})
    close(fit(model, probe, 2, known).shares, [0.1, 0.8])
    refused(lambda: fit(model, probe, 1, DropoutScheduler(schedule)), "memorization", "detector")
    refused(lambda: DropoutScheduler(schedule, events={"memorisation": 1}), "memorisation")


def case_scheduler_finds_the_detector_beside_it():
    model = compiled(ThirdParty(), metrics=["accuracy"])
    detector = GrokkingDetector(
        train_threshold=0.05, val_threshold=0.99, patience=1, min_delay=1, verbose=0
    )
    scheduler = DropoutScheduler(schedules.OnEvent("memorization", 0.6, 0.2))
    history = model.fit(
        TOKENS, ANSWERS, batch_size=16, epochs=3, verbose=0,
        validation_data=(TOKENS, ANSWERS), callbacks=[scheduler, detector],
    ).history  # fmt: skip
    assert detector.events[0].written_at == 4, detector.events
    np.testing.assert_allclose(history["dropout_rate"], [0.6, 0.2, 0.2], rtol=1e-5)


def case_scheduler_builds_what_fit_has_not_built():
    """On TensorFlow, `fit` builds a subclassed model in its first step only."""
    model = compiled(ThirdParty())
    assert not model.built
    scheduler = DropoutScheduler(schedules.Linear(0.9, 0.1, steps=8))
    model.fit(TOKENS, ANSWERS, batch_size=16, epochs=1, verbose=0, callbacks=[scheduler])
    assert len(scheduler.annealed.changed) == 7
    assert number(model.optimizer.iterations) == 4


def case_scheduler_and_anneal_dropout():
    model, probe = probed(layers.Dropout(0.5))
    annealed = anneal_dropout(model, schedules.Linear(0.8, 0.0, steps=4))
    refused(lambda: fit(model, probe, 1, DropoutScheduler(0.1)), "anneal_dropout already")
    history = fit(model, probe, 2, DropoutScheduler(annealed)).model.history.history
    np.testing.assert_allclose(history["dropout_rate"], [0.6], rtol=1e-6)
    assert annealed.attached
    refused(lambda: DropoutScheduler(annealed, where=lambda path, layer: True), "where")


def case_two_schedulers():
    model, probe = probed(layers.Dropout(0.5, name="drop"))
    two = [DropoutScheduler(0.1), DropoutScheduler(0.2)]
    refused(lambda: fit(model, probe, 1, *two), "two DropoutScheduler")
    # Each its own layers.
    inputs = keras.Input((WIDTH,))
    first, second = layers.Dropout(0.5, name="first"), layers.Dropout(0.5, name="second")
    model = keras.Model(inputs, layers.Dense(1)(probe(first(inputs)) + second(inputs)))
    model.compile("sgd", "mse")
    apart = [
        DropoutScheduler(0.2, where=lambda path, layer: path == "first"),
        DropoutScheduler(0.9, where=lambda path, layer: path == "second", log_name="other"),
    ]
    seen = fit(model, probe, 2, *apart)
    close(seen.shares, [0.2] * 2)
    np.testing.assert_allclose(model.history.history["other"], [0.9], rtol=1e-6)
    assert type(first) is type(second) is layers.Dropout
    assert "train_step" not in vars(model)


class Interrupts(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def case_an_interrupted_fit():
    layer = layers.Dropout(0.5)
    model, probe = probed(layer)
    scheduler = DropoutScheduler(0.9)
    with contextlib.suppress(KeyboardInterrupt):
        fit(model, probe, 3, scheduler, Interrupts())
    assert type(layer) is not layers.Dropout
    # Another scheduler takes over, and leaves a stock layer.
    close(fit(model, probe, 2, DropoutScheduler(0.2)).shares, [0.2] * 2)
    assert type(layer) is layers.Dropout
    scheduler.detach()
    close(fit(model, probe, 2).shares, [0.5] * 2)


class Skips(layers.Layer):
    """Calls its dropout only if it was made with a rate, as some layers of other packages do."""

    def __init__(self, rate):
        super().__init__()
        self.inner = layers.Dropout(rate)
        self.asks = rate > 0

    def call(self, x):
        return self.inner(x) if self.asks else x


def case_warns_of_layers_that_are_never_called():
    model, probe = probed(Skips(0.0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, probe, 1, DropoutScheduler(0.3))
    assert any("never called" in str(w.message) and "skips" in str(w.message) for w in caught)
    model, probe = probed(layers.Dropout(0.0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        close(fit(model, probe, 1, DropoutScheduler(0.3)).shares, [0.3])
    assert not any("never called" in str(w.message) for w in caught)


def case_checkpoints_hold_the_rate_of_the_moment():
    model, probe = probed(layers.Dropout(0.5, name="drop"))
    x, y = ones(64)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "{epoch}.keras")
        callbacks = [
            DropoutScheduler(schedules.Linear(0.8, 0.0, steps=8)),
            keras.callbacks.ModelCheckpoint(path),
        ]
        model.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=callbacks)
        for epoch, rate in ((1, 0.6), (2, 0.4)):
            loaded = keras.saving.load_model(
                path.format(epoch=epoch), custom_objects={"Probe": type(probe)}
            )
            drop = loaded.get_layer("drop")
            assert type(drop) is layers.Dropout
            assert abs(drop.rate - rate) < 1e-6, drop.rate


def case_weight_decay_beside_dropout():
    from grokkeras.callbacks.weight_decay import WeightDecayScheduler

    layer = layers.Dropout(0.5)
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.0)
    model, probe = probed(layer, optimizer=optimizer)
    for order in (1, -1):
        callbacks = [
            DropoutScheduler(schedules.Linear(0.8, 0.0, steps=8)),
            WeightDecayScheduler(schedules.Constant(500.0)),
        ][::order]
        begun = int(number(optimizer.iterations))
        before = np.abs(model.layers[-1].kernel.numpy()).max()
        rates = linear(0.8, 0.0, 8, begun + 2)[begun:]
        close(fit(model, probe, 2, *callbacks).shares, rates)
        after = np.abs(model.layers[-1].kernel.numpy()).max()
        assert after < 0.5 * before + 0.01, (before, after)
        assert type(layer) is layers.Dropout
        assert optimizer.weight_decay == 0.0
        close(fit(model, probe, 1).shares, [0.5])


def case_kerashub_backbone():
    """Runs only where KerasHub is installed; `ThirdParty` stands for it elsewhere."""
    try:
        import keras_hub
    except ImportError:
        return
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=11, num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32,
        max_sequence_length=4, dropout=0.1,
    )  # fmt: skip
    head = layers.Dense(3)(backbone.output["pooled_output"])
    model = compiled(keras.Model(backbone.inputs, head))
    inputs = {
        "token_ids": TOKENS,
        "segment_ids": 0 * TOKENS,
        "padding_mask": np.ones_like(TOKENS),
    }
    expected = model.predict(inputs, verbose=0)
    scheduler = DropoutScheduler(schedules.Linear(0.5, 0.0, steps=8))
    model.fit(inputs, ANSWERS, batch_size=16, epochs=2, verbose=0, callbacks=[scheduler])
    assert len(scheduler.annealed.changed) == 7, scheduler.annealed.changed
    assert scheduler.annealed.unchanged == {}
    assert np.abs(model.predict(inputs, verbose=0) - expected).max() > 0
