"""Transforms beside what Keras itself puts around an optimizer, inside it or into `fit`.

As in `fit_cases.py`, which runs them as well.
"""

from __future__ import annotations

import keras
import numpy as np
from fit_parts import BACKEND, adamw, data, everything, fit, model, state, trained, weights
from helpers import refused

from grokkeras.callbacks.weight_decay import WeightDecayScheduler
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.transforms import Grokfast, OrthoGrad


def case_learning_rate_schedule_and_callback():
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.02, 0.0])
    frozen = model(Grokfast(keras.optimizers.SGD(rates)))
    fit(frozen, epochs=2)
    before = weights(frozen)
    fit(frozen, epochs=1)
    np.testing.assert_array_equal(weights(frozen), before)
    stopped = model(Grokfast(adamw()))
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0)
    before = weights(stopped)
    fit(stopped, callbacks=[callback])
    np.testing.assert_array_equal(weights(stopped), before)


def slow_case_gradient_accumulation_is_one_step_with_the_mean():
    """Three batches of 32 with accumulation are one batch of 96."""
    # Not behind Adam, which turns the rounding of a gradient near 0 into a step.
    parts = model(everything(keras.optimizers.SGD(0.05, gradient_accumulation_steps=3)))
    fit(parts, epochs=5)
    whole = model(everything(keras.optimizers.SGD(0.05)))
    x, y = data()
    whole.fit(x, y, batch_size=96, shuffle=False, epochs=5, verbose=0)
    assert int(parts.optimizer.iterations) == int(whole.optimizer.iterations) == 5
    np.testing.assert_allclose(weights(parts), weights(whole), atol=2e-5)


def slow_case_clipnorm_and_average_of_weights_inside():
    clipped = model(Grokfast(keras.optimizers.SGD(0.1, clipnorm=1e-3)))
    before = clipped.get_weights()
    x, y = data()
    clipped.fit(x, y, batch_size=96, epochs=1, verbose=0)
    for old, new in zip(before, clipped.get_weights(), strict=True):
        assert np.linalg.norm(new - old) <= 1e-4 * 1.001
    averaged = model(Grokfast(adamw(use_ema=True, ema_momentum=0.5)))
    fit(averaged)
    plain = model(Grokfast(adamw()))
    fit(plain)
    assert np.abs(weights(averaged) - weights(plain)).max() > 1e-4


def case_loss_scale_optimizer_around():
    plain = trained(Grokfast(keras.optimizers.SGD(0.1)))
    scaled = trained(keras.optimizers.LossScaleOptimizer(Grokfast(keras.optimizers.SGD(0.1))))
    np.testing.assert_allclose(scaled, plain, atol=1e-6)
    refused(lambda: Grokfast(keras.optimizers.LossScaleOptimizer(adamw())), "Put it outside")


def case_loss_scale_optimizer_skips_overflows():
    """A step whose gradients are not finite leaves the transform's state alone."""
    optimizer = keras.optimizers.LossScaleOptimizer(
        Grokfast(keras.optimizers.SGD(1e-4)), initial_scale=2.0**126
    )
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built = model()
    built.compile(optimizer=optimizer, loss=lambda y, logits: 1e3 * cross_entropy(y, logits))
    fit(built, epochs=4)
    assert np.all(np.isfinite(weights(built)))
    assert all(np.all(np.isfinite(value)) for value in state(built))
    assert 0 < int(optimizer.iterations) < 12, int(optimizer.iterations)


def case_compile_puts_loss_scaling_around_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        built = model(Grokfast(adamw()))
        assert isinstance(built.optimizer, keras.optimizers.LossScaleOptimizer)
        assert isinstance(built.optimizer.inner_optimizer, Grokfast)
        history = fit(built, epochs=10)["loss"]
        assert history[-1] < history[0], history  # So it is not NaN either.
    finally:
        keras.config.set_dtype_policy("float32")


def case_weight_decay_scheduler_beside():
    """The callback finds the decay of the optimizer inside, and what it says is what happens."""
    without = model(Grokfast(keras.optimizers.AdamW(0.02, weight_decay=0.0)))
    fit(without)
    scheduled = model(Grokfast(OrthoGrad(adamw())))
    same = model(Grokfast(OrthoGrad(keras.optimizers.AdamW(0.02, weight_decay=0.0))))
    fit(scheduled, callbacks=[WeightDecayScheduler(0.0)])
    fit(same)
    np.testing.assert_array_equal(weights(scheduled), weights(same))
    assert scheduled.optimizer.weight_decay == 0.1
    assert np.abs(weights(same) - weights(without)).max() > 1e-4


def case_weight_decay_scheduler_on_muon():
    """One schedule for the decays of both of its groups."""
    scheduled = model(Muon(0.01, weight_decay=0.3, adam_weight_decay=0.3))
    same = model(Muon(0.01, weight_decay=0.0, adam_weight_decay=0.0))
    fit(scheduled, callbacks=[WeightDecayScheduler(0.0)])
    fit(same)
    np.testing.assert_array_equal(weights(scheduled), weights(same))
    assert np.abs(trained(Muon(0.01, weight_decay=0.3)) - weights(same)).max() > 1e-4


def slow_case_half_precision():
    keras.config.set_dtype_policy("bfloat16")
    try:
        built = model(everything(adamw()))
        loss = fit(built, epochs=4)["loss"]
        assert np.all(np.isfinite(loss)), loss
        assert "16" in str(built.trainable_variables[0].dtype)  # The head is float32.
        for transform in built.optimizer.chain():
            assert all("16" not in str(v.dtype) for v in transform.states), transform.name
    finally:
        keras.config.set_dtype_policy("float32")


def slow_case_several_steps_in_one_call():
    if BACKEND == "torch":
        return  # Keras refuses it there.
    many = trained(everything(adamw()), steps_per_execution=3)
    np.testing.assert_allclose(many, trained(everything(adamw())), atol=1e-4)
