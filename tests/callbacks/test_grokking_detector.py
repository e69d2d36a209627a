"""`GrokkingDetector` in stock `fit`, on a model that is not ours, in a process a backend."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent
PRELUDE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import keras, numpy as np
import stock_model as stock
from grokkeras.callbacks import GrokkingDetector
from grokkeras.detection import Detector
from helpers import refused

def replayed(history, steps, **settings):
    rows = zip(steps, history["accuracy"], history["val_accuracy"], strict=True)
    return Detector.replay(
        [dict(step=s, train_accuracy=t, val_accuracy=v) for s, t, v in rows], **settings
    )
"""


def run(backend: str, code: str) -> str:
    return run_on_backend(backend, PRELUDE + textwrap.dedent(code))


GROKS = """
told = []
detector = GrokkingDetector(min_delay=100, stop_after_grokking=100, on_event=told.append)
history = stock.fit(stock.model(), [detector], epochs=100).history
steps = [10 * (k + 1) for k in range(len(history["loss"]))]

assert detector.phase == "grokking" and detector.stage == "grokked", detector.phase
assert 20 <= detector.memorization_step <= 80, detector.memorization_step
assert detector.delay_steps == detector.grokking_step - detector.memorization_step >= 100
assert [e.event for e in told] == ["memorization", "plateau", "grokking"], told
assert told == detector.events
assert detector.stable and detector.collapse_step is None
# The first evaluation that is confirmed and 100 steps past, no later.
confirmed = told[-1].detail["confirmed_step"]
assert steps[-1] == max(confirmed, detector.grokking_step + 100), (steps[-1], told[-1])
assert detector.sharpness().r_squared > 0.9
assert detector.memorization_step < detector.sharpness().center_step <= detector.grokking_step
# What the callback saw live is what its own history says afterwards.
again = replayed(history, steps, min_delay=100)
assert again.events == detector.detector.events
"""

# The same weights, two fits, another detector from the first end on; a second model starts over.
CONTINUES = """
built = stock.model()
both = GrokkingDetector(verbose=0, patience=5)
first = stock.fit(built, [both], epochs=8).history
early = both.memorization_step
assert early is not None
late = GrokkingDetector(verbose=0)
second = stock.fit(built, [both, late], epochs=4).history
joined = {k: first[k] + second[k] for k in first}
assert replayed(joined, range(10, 130, 10)).events == both.detector.events
# A model that was fitted before: its steps do not start at 0.
assert late.detector.last_step == 120 and late.memorization_step == 90

other = stock.model()
stock.fit(other, [both], epochs=1)
assert both.detector.last_step == 10 and both.events == [] and both.stage == "memorizing"
other.compile(stock.adamw(), stock.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
stock.fit(other, [both], epochs=1)  # a fresh optimizer counts from 0 again
assert both.detector.last_step == 10
"""

OPTIMIZERS = """
# Accumulation counts updates: 10 batches an epoch, 5 to an update.
seen = GrokkingDetector(verbose=0)
stock.fit(stock.model(stock.adamw(gradient_accumulation_steps=5)), [seen], epochs=3)
assert seen.detector.last_step == 6
# An epoch that updated nothing is no evaluation.
seen = GrokkingDetector(verbose=0)
stock.fit(stock.model(stock.adamw(gradient_accumulation_steps=4)), [seen], epochs=8, repeats=1)
assert seen.detector.last_step == 2
# A loss scale: the inner optimizer's updates, of which the first overflows and is skipped.
seen = GrokkingDetector(verbose=0)
scaled = keras.optimizers.LossScaleOptimizer(stock.adamw(), initial_scale=2.0**127)
built = stock.model(scaled)
built.set_weights([w * 64 for w in built.get_weights()])
stock.fit(built, [seen], epochs=3)
assert seen.detector.last_step == int(scaled.iterations) < 30, seen.detector.last_step
assert seen.detector.last_step > 0
# One log that is no accuracy, with its upper bounds.
seen = GrokkingDetector("loss", "val_loss", 0.1, 1.0, verbose=0)
stock.fit(stock.model(), [seen], epochs=30)
assert seen.memorization_step == 50 and 200 <= seen.grokking_step <= 240, seen.grokking_step
assert seen.collapse_step is None and seen.detector.settings.collapse_threshold == 10
assert seen.events[0].detail["metric"] == "loss"
"""

REFUSALS = """
refused(lambda: stock.fit(stock.model(), [GrokkingDetector()], validation_data=None),
        "'val_accuracy'", "accuracy, loss", "pass validation_data to fit")
top5 = keras.metrics.SparseTopKCategoricalAccuracy(name="top5")
refused(lambda: stock.fit(stock.model(metrics=[top5]), [GrokkingDetector()]),
        "'accuracy' and 'val_accuracy'", "loss, top5, val_loss, val_top5", "compile(metrics=")
refused(lambda: GrokkingDetector("top", "val_top"), "mode='max'")
refused(lambda: GrokkingDetector(train_threshold=99), "at most 1")
refused(lambda: GrokkingDetector(stop_after_grokking=-1), "0 or more, or None")
refused(lambda: GrokkingDetector(validation_freq=0), "1 or more")
refused(lambda: GrokkingDetector(train_data=[1, 2, 3]), "a pair (x, y)")
# Not every epoch validates.
sparse = GrokkingDetector(verbose=0, validation_freq=3)
stock.fit(stock.model(), [sparse], epochs=7, validation_freq=3)
assert sparse.detector.last_step == 60
"""

COLLAPSES = """
# Logits that double every epoch once the data is learned: the loss rounds to 0, first for most
# examples, then for all.
(x, y), _ = stock.data()

class Grow(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= 10:
            kernel = self.model.layers[-1].kernel
            kernel.assign(kernel * 2)

def collapsed(**arguments):
    built = stock.model(keras.optimizers.AdamW(0.01, weight_decay=0.001))
    seen = GrokkingDetector(verbose=0, **arguments)
    losses = stock.fit(built, [Grow(), seen], epochs=24).history["loss"]
    return [e for e in seen.events if e.event == "softmax_collapse"], losses, seen

events, losses, seen = collapsed(train_data=(x, y))
assert len(events) == 1, losses
early = events[0].step
assert 0.9 <= events[0].detail["zero_loss_share"] <= 1
assert "exactly 0 in float32" in events[0].detail["message"]
assert "raise optimizer.weight_decay (now 0.001)" in events[0].detail["message"]
# The logs alone tell it too, in words, once the loss is exactly 0 three times in a row.
events, losses, seen = collapsed()
zeros = [k for k in range(2, 24) if losses[k - 2 : k + 1] == [0, 0, 0]]
assert zeros, losses
assert [e.step for e in events] == [10 * (zeros[0] + 1)]
assert events[0].step > early
assert "for 100 % of examples; gradients are zero" in events[0].detail["message"]
# A healthy run measures, and finds nothing.
calls = []
built = stock.model()
predict = built.predict
built.predict = lambda *a, **k: calls.append(1) or predict(*a, **k)
healthy = GrokkingDetector(verbose=0, train_data=(x, y))
measured = stock.fit(built, [healthy], epochs=12).history
assert not [e for e in healthy.events if e.event == "softmax_collapse"]
assert len(calls) == 11, len(calls)
# And measuring leaves the training as it was.
plain = stock.fit(stock.model(), [], epochs=12).history
assert np.allclose(measured["loss"][:5], plain["loss"][:5], rtol=1e-5)
# A squared error of exactly 0 is a perfect fit.
zero = GrokkingDetector("loss", "val_loss", 0.1, 0.1, verbose=0)
zeroed = stock.model(loss="mse", metrics=[])
zeroed.set_weights([w * 0 for w in zeroed.get_weights()])
x0 = np.zeros((8, 46), "float32")
zeroed.fit(x0, np.zeros((8, 23)), validation_data=(x0, np.zeros((8, 23))), epochs=6, verbose=0,
           callbacks=[zero])
assert [e.event for e in zero.events] == ["memorization", "grokking"], zero.events
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_sees_a_stock_model_grok(backend):
    lines = run(backend, GROKS).splitlines()
    told = [line for line in lines if line.startswith("GrokkingDetector: ")]
    assert [line.split()[1] for line in told] == ["memorized", "plateau", "grokked"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_continues_refuses_and_counts(backend):
    run(backend, CONTINUES + OPTIMIZERS + REFUSALS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_says_that_the_loss_is_exactly_zero(backend):
    run(backend, COLLAPSES)


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_counts_steps_where_several_run_in_one_call(backend):
    run(
        backend,
        """
        seen = GrokkingDetector(verbose=0)
        built = stock.model(steps_per_execution=4)
        history = stock.fit(built, [seen], epochs=12).history
        assert seen.detector.last_step == 120 == int(built.optimizer.iterations)
        assert replayed(history, range(10, 130, 10)).events == seen.detector.events
        assert seen.memorization_step
        """,
    )


def test_jax_copies_its_state_no_more_often_than_without_the_detector():
    run(
        "jax",
        """
        assigned = 0
        variable = keras.Variable
        original = variable.assign
        def counting(self, value):
            global assigned
            assigned += 1
            return original(self, value)
        variable.assign = counting

        def copies(callbacks):
            global assigned
            built = stock.model()
            stock.fit(built, callbacks, epochs=1)  # builds what fit builds once
            assigned = 0
            stock.fit(built, callbacks, epochs=5)
            return assigned

        class Greedy(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model

        plain, greedy = copies([]), copies([Greedy()])
        watched = copies([GrokkingDetector(verbose=0)])
        assert 0 < plain == watched < greedy, (plain, watched, greedy)
        """,
    )


def test_has_no_batch_hook_so_that_keras_keeps_dispatching_asynchronously():
    run(
        "jax",
        """
        from keras.src import utils
        seen = GrokkingDetector()
        for kind in ("", "train_", "test_", "predict_"):
            for end in ("begin", "end"):
                assert utils.is_default(getattr(seen, f"on_{kind}batch_{end}")), (kind, end)
        listed = keras.callbacks.CallbackList([seen], add_history=True)
        assert listed._async_train and listed._async_test
        """,
    )


def test_the_line_starts_below_an_unfinished_progress_bar():
    out = run(
        "jax",
        """
        seen = GrokkingDetector()
        (x, y), val = stock.data()
        stock.model().fit(x, y, validation_data=val, epochs=40, batch_size=64, verbose=1,
                          callbacks=[seen])
        assert seen.memorization_step
        """,
    )
    assert "\nGrokkingDetector: memorized at step" in out
