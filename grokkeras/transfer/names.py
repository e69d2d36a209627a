"""The names of a model's weights, and which of them belong to tokens."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from grokkeras.errors import UserError, nearest_name
from grokkeras.models import MLP


def named_weights(model: Any) -> dict[str, Any]:
    """Variables by their path within the model, such as `block_0/attention/query/kernel`.

    Where two have one path, those after the first get `#2`, `#3`, ...
    """
    named: dict[str, Any] = {}
    for variable in model.weights:
        name = plain = variable.path.removeprefix(f"{model.name}/")
        count = 1
        while name in named:
            count += 1
            name = f"{plain}#{count}"
        named[name] = variable
    return named


def embedding_names(model: Any) -> list[str]:
    """Weights whose rows belong to tokens or positions.

    They are those with `embedding` in the last part of their name, as Keras' own layers and the
    models here have; and the first kernel of an MLP on one-hots, whose rows are looked up.
    """
    names = [name for name in named_weights(model) if "embedding" in name.rsplit("/", 1)[-1]]
    if isinstance(model, MLP) and model.encoding == "one_hot":
        first = model.hidden[0] if model.hidden else model.head
        names += [name for name, weight in named_weights(model).items() if weight is first.kernel]
    return names


def token_embedding(model: Any) -> str | None:
    """The one embedding of tokens; None where there is none, or there are several."""
    names = [name for name in embedding_names(model) if "position" not in name]
    return names[0] if len(names) == 1 else None


def chosen_names(model: Any, what: str | Sequence[str]) -> list[str]:
    """The weights that `what` asks for: `all`, `embedding`, or patterns of names.

    Raises:
        UserError: a pattern fits none, or the model has no embedding.
    """
    known = list(named_weights(model))
    if what == "all":
        return known
    if what == "embedding":
        names = embedding_names(model)
        if not names:
            raise UserError(f"This model has no embedding. Its weights: {', '.join(known)}.")
        return names
    patterns = [what] if isinstance(what, str) else list(what)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            near = nearest_name(pattern, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise UserError(
                f"No weight of this model is called {pattern!r}.{hint} "
                f"Its weights: {', '.join(known)}."
            )
    return [name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns)]
