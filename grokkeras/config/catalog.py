"""What a configuration can name, with a line on each: for `grokkeras list`.

Read from the schema, not from the registries, because those import Keras. A test holds the two
together.
"""

from __future__ import annotations

from grokkeras.config.fields import variants
from grokkeras.config.schema import MEASURES
from grokkeras.config.shipped import shipped_configs

_SECTIONS = {"tasks": "task", "models": "model", "optimizers": "optimizer"}


def catalog(kind: str) -> dict[str, str]:
    """Names and descriptions of one kind.

    Args:
        kind: `tasks`, `models`, `optimizers`, `transforms`, `schedules`, `measures` or `configs`.

    Returns:
        A line a name; empty where this version has none of the kind.
    """
    if kind in _SECTIONS:
        chosen = variants(_SECTIONS[kind])
        return {name: _first_line(cls.__doc__) for name, cls in chosen.items()}
    if kind == "measures":
        return dict(MEASURES)
    return shipped_configs() if kind == "configs" else {}


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
