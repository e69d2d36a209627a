"""The digest that records of runs know a configuration by."""

from __future__ import annotations

from grokkeras.config import digest, digests, load_config, to_plain

TINY = {
    "name": "tiny",
    "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 5},
    "model": {"name": "mlp", "width": 4},
    "train": {"max_steps": 3},
}
LONGER = {**TINY, "train": {"max_steps": 4}}


def test_the_digest_tells_values_apart_but_not_options_that_are_off(monkeypatch):
    config = load_config(TINY)
    before = digest(config)
    assert digest(load_config(LONGER)) != before
    assert digest(load_config({**TINY, "dropout": {"rate": 0.1}})) != before
    later = {**to_plain(config), "later": None, "section": {"on": False, "which": []}}
    monkeypatch.setattr(digests, "to_plain", lambda config: later)
    assert digest(config) == before
    monkeypatch.setattr(digests, "to_plain", lambda config: {**later, "section": {"on": True}})
    assert digest(config) != before
