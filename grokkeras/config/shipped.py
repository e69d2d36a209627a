"""The configurations that come with the program, in a checkout or in an installed wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grokkeras.errors import UserError, nearest_name

_PACKAGE = Path(__file__).resolve().parent.parent
# The subfolder of recipes, which are parts of configurations and cannot be run by themselves.
RECIPES = "recipes"


def shipped_folder(name: str) -> Path | None:
    """The folder `configs` or `benchmarks`, of the checkout or inside the wheel.

    Args:
        name: `configs` or `benchmarks`.

    Returns:
        The folder, or None if neither place has it.
    """
    # A wheel keeps them inside the package: beside it, in site-packages, they might be anybody's.
    for folder in (_PACKAGE / f"_{name}", _PACKAGE.parent / name):
        in_checkout = folder.parent == _PACKAGE or (_PACKAGE.parent / "pyproject.toml").is_file()
        if folder.is_dir() and in_checkout:
            return folder
    return None


def shipped_configs() -> dict[str, str]:
    """The shipped configurations: name without `.yaml`, and the first sentence of its comment.

    A configuration in a subfolder is named with it, such as `papers/nanda`.
    """
    return {name: first_sentence(path) for name, path in _files()}


def find_config(source: str | Path) -> Path:
    """The file that a user means: a path, or the name of a shipped configuration.

    Args:
        source: `my.yaml`, `quickstart`, or `configs/quickstart.yaml` away from a checkout.

    Returns:
        A file that exists.

    Raises:
        UserError: there is none; names the nearest.
    """
    path = Path(source)
    try:
        if path.is_file():
            return path
        is_folder = path.is_dir()
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        raise UserError(f"{str(source)[:80]!r} is no file name.") from error
    shipped = dict(_files())
    bare = path.as_posix().removesuffix(".yaml").removesuffix(".yml")
    for name in (bare, bare.removeprefix("configs/")):
        if name in shipped and not path.is_absolute():
            return shipped[name]
    if is_folder:
        inner = path / "config.yaml"
        hint = f" Did you mean {inner}, or `grokkeras resume {path}`?" if inner.is_file() else ""
        raise UserError(f"{path} is a folder, expected a configuration file.{hint}")
    if path.exists():
        return path  # no regular file, such as a pipe: may be read all the same
    raise UserError(f"There is no configuration {str(source)!r}.{_nearest(path, list(shipped))}")


def first_sentence(path: Path) -> str:
    """The first sentence of the comment that a configuration opens with, or ""."""
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("#").strip()
        if not text and words:
            break
        words += text.split()
    sentence, stop, _ = " ".join(words).partition(". ")
    return sentence + "." if stop else sentence


def _nearest(path: Path, shipped: list[str]) -> str:
    beside = (
        sorted(str(file) for file in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
    )
    near = nearest_name(str(path), [*beside, *shipped])
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{hint} Expected a YAML file, or one that comes with the program: {', '.join(shipped)}."


def _files() -> Iterator[tuple[str, Path]]:
    folder = shipped_folder("configs")
    if folder is None:
        return
    for path in sorted(folder.rglob("*.yaml")):
        if path.parent != folder / RECIPES:
            yield path.relative_to(folder).with_suffix("").as_posix(), path
