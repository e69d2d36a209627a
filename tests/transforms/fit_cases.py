"""Stock `compile()` and `fit()` with every transform of the registry, on the backend it runs on.

Each function named `case_...` or `slow_case_...` is a test of its own.
"""

from __future__ import annotations

import json
import os
import tempfile

import fit_around_cases
import keras
import numpy as np
from fit_parts import BACKEND, adamw, everything, fit, make, model, state, trained, weights
from keras import ops

from grokkeras import schedules
from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.transforms import (
    TRANSFORMS,
    Grokfast,
    NormCap,
    OrthoGrad,
    WeightNorm,
    tell_event,
    with_transforms,
)


def slow_case_every_transform_trains_in_stock_fit():
    plain = trained(adamw(), epochs=10)
    for name in TRANSFORMS.names():
        built = model(make(name))
        history = fit(built, epochs=10)["loss"]
        assert history[-1] < history[0], (name, history)  # So it is not NaN either.
        assert int(built.optimizer.iterations) == 30, name
        assert np.abs(weights(built) - plain).max() > 1e-4, f"{name} changes nothing"


def case_a_chain_saved_and_resumed_ends_with_the_same_bits():
    resumes_with_the_same_bits(lambda: Grokfast(OrthoGrad(NormCap(adamw(), factor=0.9))))


def slow_case_saved_and_resumed_ends_with_the_same_bits():
    resumes_with_the_same_bits(lambda: everything(Muon(0.01)))
    # Three batches an epoch: the second update is cut in half.
    resumes_with_the_same_bits(lambda: everything(adamw(gradient_accumulation_steps=2)))


def resumes_with_the_same_bits(make_optimizer):
    through = model(make_optimizer())
    fit(through, epochs=4)
    first = model(make_optimizer())
    fit(first, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        first.save(path)
        second = keras.saving.load_model(path)
    assert type(second.optimizer) is type(first.optimizer)
    for one, other in zip(state(first), state(second), strict=True):
        np.testing.assert_array_equal(one, other)
    fit(second, epochs=3)
    np.testing.assert_array_equal(weights(second), weights(through))


def case_configuration_round_trip():
    for name in TRANSFORMS.names():
        one = make(name)
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(one)))
        other = keras.saving.deserialize_keras_object(config)
        assert type(other) is type(one), name
        assert other.get_config() == one.get_config(), name
    scheduled = Grokfast(adamw(), lamb=schedules.Cosine(2.0, 0.5, steps=100))
    again = Grokfast.from_config(scheduled.get_config())
    assert again.lamb == scheduled.lamb


def case_forwards_to_the_inner_optimizer():
    inner = adamw()
    outer = Grokfast(OrthoGrad(inner))
    built = model(outer)
    fit(built)
    assert outer.base_optimizer() is inner
    assert int(outer.iterations) == int(inner.iterations) == 9
    assert float(ops.convert_to_numpy(outer.learning_rate)) == np.float32(0.02)
    outer.learning_rate = 0.5
    assert float(ops.convert_to_numpy(inner.learning_rate)) == 0.5
    outer.weight_decay = 0.7
    assert inner.weight_decay == outer.weight_decay == 0.7
    outer.set_weights([np.zeros_like(value) for value in state(built)])
    assert all(not np.any(value) for value in state(built))


def slow_case_around_the_optimizer_of_a_fitted_model():
    """The inner optimizer goes on, its slots included; the transform starts there."""
    built = model(adamw())
    fit(built)
    moments = state(built)
    loss = built.loss
    built.compile(optimizer=Grokfast(built.optimizer, lamb=0.0), loss=loss)
    fit(built)
    assert int(built.optimizer.iterations) == 18
    through = model(adamw())
    fit(through, epochs=6)
    assert len(moments) == len(state(through))
    # lamb 0 changes nothing: so it is the same training, but for TensorFlow's sparse gradients.
    if BACKEND != "tensorflow":
        np.testing.assert_allclose(weights(built), weights(through), atol=2e-5)


def case_norms_are_those_when_the_optimizer_was_built():
    built = model()
    norms = [np.linalg.norm(w) for w in built.get_weights()]
    total = np.sqrt(sum(n * n for n in norms))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built.compile(optimizer=NormCap(keras.optimizers.SGD(1.0)), loss=loss)
    fit(built)
    for before, after in zip(norms, built.get_weights(), strict=True):
        if after.ndim == 2:
            assert np.linalg.norm(after) <= before * (1 + 1e-6)
    held = model(WeightNorm(keras.optimizers.SGD(1.0), scale=0.5))
    fit(held)
    np.testing.assert_allclose(np.linalg.norm(weights(held)), 0.5 * total, rtol=1e-6)


def case_frozen_layer_stays_bit_for_bit():
    rates = {"embedding": 0.0, "head/kernel": 0.0}
    built = model(TRANSFORMS.get("layer_learning_rates")(adamw(), rates))
    before = dict(zip([w.path for w in built.weights], built.get_weights(), strict=True))
    fit(built)
    for variable in built.weights:
        same = np.array_equal(before[variable.path], ops.convert_to_numpy(variable))
        assert same == ("embedding" in variable.path or variable.path == "head/kernel")


def slow_case_noise_follows_seed_and_step():
    one, same = (trained(make("gradient_noise")) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = trained(TRANSFORMS.get("gradient_noise")(adamw(), seed=1))
    assert np.abs(one - other).max() > 1e-4


def case_event_switches_within_the_compiled_step():
    lamb = {"schedule": "on_event", "event": "memorization", "before": 0.0, "after": 50.0}
    built = model(Grokfast(keras.optimizers.SGD(0.01), lamb=lamb))
    same = model(Grokfast(keras.optimizers.SGD(0.01), lamb=0.0))

    class Tell(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                tell_event(self.model.optimizer, "memorization", 6)

    fit(built, epochs=2, callbacks=[Tell()])
    fit(same, epochs=2)
    np.testing.assert_allclose(weights(built), weights(same), atol=1e-7)
    fit(built, epochs=1)
    fit(same, epochs=1)
    assert np.abs(weights(built) - weights(same)).max() > 1e-3
    assert float(ops.convert_to_numpy(built.optimizer.event_steps["memorization"])) == 6


def case_one_trace_for_a_schedule():
    traces = []

    @keras.saving.register_keras_serializable("tests")
    class Counting(Grokfast):
        def transform(self, gradients, variables):
            traces.append(1)
            return super().transform(gradients, variables)

    built = model(Counting(adamw(), lamb=schedules.Cosine(2.0, 0.0, steps=9)))
    fit(built, epochs=1)
    count = len(traces)
    fit(built, epochs=4)
    if BACKEND != "torch":  # PyTorch runs eagerly.
        assert len(traces) == count, (count, len(traces))


def slow_case_chain_by_name():
    chained = with_transforms(adamw(), ["grokfast", {"name": "norm_cap", "factor": 0.9}])
    by_hand = Grokfast(NormCap(adamw(), factor=0.9))
    assert [type(t) for t in chained.chain()] == [Grokfast, NormCap]
    np.testing.assert_array_equal(trained(chained), trained(by_hand))


def case_multi_tensor_path_of_the_inner_optimizer():
    if BACKEND != "torch":
        return
    inner = Grokfast(adamw()).base_optimizer()
    assert type(inner).__module__.startswith("keras.src.backend.torch"), type(inner)


def main(*names):
    known = globals() | vars(fit_around_cases)
    return {name: known[name] for name in names}
