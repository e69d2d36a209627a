"""What `grokkeras resume` may change of a run that has begun."""

from __future__ import annotations

from collections.abc import Mapping

from grokkeras.config.explain import shown
from grokkeras.config.load import load_config, to_plain
from grokkeras.config.schema import Log, RunConfig
from grokkeras.errors import ConfigError, Fault, nearest_name

CHANGEABLE = (
    "train.max_steps",
    "train.stop_after_grokking",
    *(f"log.{key}" for key in Log.model_fields),
)


def apply_resume_overrides(config: RunConfig, overrides: Mapping[str, object]) -> RunConfig:
    """The configuration that a resumed run goes on with.

    Args:
        config: the run's own.
        overrides: values by dotted key.

    Returns:
        The configuration with the overrides in place.

    Raises:
        ConfigError: an override would change what the finished steps stand on, or its value is
            refused.
    """
    words = f"one of the settings that resume may change: {', '.join(CHANGEABLE)}"
    refused = [
        Fault(key, shown(value), words, nearest_name(key, CHANGEABLE))
        for key, value in overrides.items()
        if key not in CHANGEABLE
    ]
    if refused:
        raise ConfigError(refused, "the command line")
    return load_config(to_plain(config), overrides)
