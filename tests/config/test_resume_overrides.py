"""What a resumed run may change, and what it may not."""

from __future__ import annotations

import pytest

from grokkeras.config import apply_resume_overrides, load_config
from grokkeras.errors import ConfigError


def test_length_stopping_and_logs_may_change() -> None:
    config = load_config("quickstart")
    changed = apply_resume_overrides(
        config,
        {
            "train.max_steps": 20,
            "train.stop_after_grokking": None,
            "log.measures": ["logit_scale"],
            "log.tensorboard": False,
        },
    )
    assert changed.train.max_steps == 20
    assert changed.train.stop_after_grokking is None
    assert changed.log.measures == ["logit_scale"]
    assert not changed.log.tensorboard
    assert changed.model_copy(update={"train": config.train, "log": config.log}) == config


def test_nothing_changes_without_overrides() -> None:
    config = load_config("quickstart")
    assert apply_resume_overrides(config, {}) == config


def test_everything_else_is_refused_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        apply_resume_overrides(
            load_config("quickstart"),
            {"optimizer.weight_decay": 0.3, "train": {}, "train.max_step": 3, "seed": 1},
        )
    faults = {fault.key: fault for fault in caught.value.faults}
    assert set(faults) == {"optimizer.weight_decay", "train", "train.max_step", "seed"}
    assert faults["train.max_step"].nearest == "train.max_steps"
    assert "log.measures" in faults["seed"].expected


def test_values_are_checked_as_ever() -> None:
    with pytest.raises(ConfigError, match="weight_norm"):
        apply_resume_overrides(load_config("quickstart"), {"log.measures": ["weight_nrm"]})
