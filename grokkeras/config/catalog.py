"""What a configuration can name, with a line on each: for `grokkeras list`.

Read from the schema, not from the registries, because those import Keras. A test holds the two
together.
"""

from __future__ import annotations

from grokkeras.config.data_options import difficulties, symmetry_words
from grokkeras.config.fields import item_variants, variants
from grokkeras.config.measures import MEASURES
from grokkeras.config.model_options import INITS
from grokkeras.config.optimizer_options import Common
from grokkeras.config.recipes import describe_recipes
from grokkeras.config.schedule_options import SCHEDULE_VARIANTS
from grokkeras.config.shipped import shipped_configs

_SECTIONS = {"tasks": "task", "models": "model", "optimizers": "optimizer", "losses": "loss"}


def catalog(kind: str) -> dict[str, str]:
    """Names and descriptions of one kind.

    Args:
        kind: `tasks`, `models`, `inits`, `optimizers`, `transforms`, `losses`, `schedules`,
            `measures`, `configs` or `recipes`.

    Returns:
        A line a name, several for a recipe; empty where this version has none of the kind.
    """
    if kind in _SECTIONS:
        chosen = variants(_SECTIONS[kind])
        more = _data_words if kind == "tasks" else lambda name: ""
        return {name: _first_line(cls.__doc__) + more(name) for name, cls in chosen.items()}
    if kind == "transforms":
        chosen = item_variants(Common.model_fields["transforms"])
        return {name: _first_line(cls.__doc__) for name, cls in chosen.items()}
    if kind == "schedules":
        return {name: _first_line(cls.__doc__) for name, cls in SCHEDULE_VARIANTS.items()}
    if kind == "measures":
        return dict(MEASURES)
    if kind == "inits":
        return dict(INITS)
    if kind == "recipes":
        return describe_recipes()
    return shipped_configs() if kind == "configs" else {}


def _data_words(task_name: str) -> str:
    """What `task.augment` and `curriculum.by` can name for a task."""
    names = ", ".join(difficulties(task_name))
    return f" Symmetries: {symmetry_words(task_name)}. Difficulties: {names}."


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
