"""Dropout of KerasHub's backbones, built small with random weights. Skipped without keras_hub."""

from __future__ import annotations

import importlib.util
import json

import pytest
from helpers import BACKENDS, run_on_backend

CODE = """
    import json, tempfile, pathlib
    import keras, keras_hub, numpy as np
    from grokkeras import anneal_dropout, schedules

    keras.utils.set_random_seed(0)
    sizes = dict(vocabulary_size=16, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16)
    found = {}
    for name in ("GPT2Backbone", "BertBackbone"):
        made = getattr(keras_hub.models, name)(**sizes, dropout=0.5, max_sequence_length=8)
        tokens = np.random.default_rng(0).integers(1, 16, (32, 8))
        x = {"token_ids": tokens, "padding_mask": np.ones_like(tokens)}
        if name == "BertBackbone":
            x["segment_ids"] = np.zeros_like(tokens)
        output = made.output["sequence_output"] if isinstance(made.output, dict) else made.output
        model = keras.Model(made.input, keras.layers.Dense(16)(output[:, -1]))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(1e-3), loss, metrics=["accuracy"])
        before = model.get_weights()

        def distance():
            # What dropout makes of the outputs in training; 0 only where no layer drops anything.
            pair = [keras.ops.convert_to_numpy(model(x, training=t)) for t in (True, False)]
            return float(np.abs(pair[0] - pair[1]).max())

        stock = distance()
        annealed = anneal_dropout(model, 0.0)
        off = distance()
        annealed.set_rate(0.5)
        on = distance()
        assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
        annealed = anneal_dropout(model, schedules.Linear(0.5, 0.0, steps=4))
        losses = model.fit(x, tokens[:, 0], batch_size=8, epochs=2, verbose=0).history["loss"]
        assert np.isfinite(losses).all() and annealed.never_called() == ()
        found[name] = {
            "changed": len(annealed.changed),
            "unchanged": dict(annealed.unchanged),
            "distances": [stock, off, on, distance()],
            "rate": annealed.rate,
        }
    print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("keras_hub") is None,
    reason="keras_hub is not installed; it brings tensorflow-text and more, so no extra has it",
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_dropout_of_a_backbone_follows_the_schedule(backend):
    found = json.loads(run_on_backend(backend, CODE, timeout=600).splitlines()[-1])
    assert set(found) == {"GPT2Backbone", "BertBackbone"}
    for outcome in found.values():
        assert outcome["changed"] >= 5
        assert outcome["unchanged"] == {}
        stock, off, on, after = outcome["distances"]
        assert min(stock, on) > 1e-2
        assert off < 1e-5
        assert outcome["rate"] == 0.0
        assert after < 1e-5
