"""Digits that tell a configuration from others, for records of runs whose folders are gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from grokkeras.config.load import to_plain
from grokkeras.config.schema import RunConfig


def digest(config: RunConfig) -> str:
    """Twelve hexadecimal digits that tell a resolved configuration from others.

    Values that stand for "off" are left out, so that an option which the program learns later does
    not make earlier runs look like those of another configuration.
    """
    text = json.dumps(_without_off(to_plain(config)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _without_off(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    inner = {key: _without_off(each) for key, each in value.items()}
    # 0 is a value; None, False, [] and {} are not.
    return {key: v for key, v in inner.items() if v or (v == 0 and v is not False)}
