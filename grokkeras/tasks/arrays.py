"""The user's own data: an .npz file with inputs `x` and integer labels `y`.

    np.savez("data.npz", x=images, y=labels)

Integer x of two dimensions are tokens, everything else is features, flattened to
(n, features) float32; `task.inputs` says otherwise.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.base import TASKS, TaskData
from grokkeras.tasks.options import SplitOptions, read_options

_MAX_TOKEN = 2**31 - 2


@dataclass(frozen=True)
class ArraysOptions(SplitOptions):
    """Options of `arrays`; the fields of the configuration's `task`."""

    path: str | Path = ""
    inputs: str = "auto"
    stratify: bool = True


def load_arrays(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """`x`, `y` and `difficulty`, if it is there, of an .npz file, not yet checked.

    Pickled objects are never loaded.

    Raises:
        UserError: no such file, not an .npz, damaged, without x or y, or with pickled objects.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"task.path: {path} {what}; expected an .npz file with x and y.")
    make = "Write one with np.savez('data.npz', x=inputs, y=labels)."
    try:
        # Opened here because np.load leaves a damaged file open.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise UserError(f"task.path: {path} is a single array, expected an .npz. {make}")
            with archive:
                missing = [key for key in ("x", "y") if key not in archive]
                if missing:
                    held = ", ".join(archive.files) or "nothing"
                    raise UserError(
                        f"task.path: {path} lacks {' and '.join(missing)}; it holds {held}. {make}"
                    )
                given = "difficulty" in archive
                difficulty = _member(archive, "difficulty", path) if given else None
                return _member(archive, "x", path), _member(archive, "y", path), difficulty
    except OSError as error:
        raise UserError(f"task.path: {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(f"task.path: {path} is not a sound .npz file ({error}). {make}") from error


def _member(archive: np.lib.npyio.NpzFile, key: str, path: Path) -> np.ndarray:
    try:
        return archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise UserError(
            f"task.path: {key} in {path} is an array of Python objects, which is not loaded (it "
            "could run code). Save it as numbers, all rows of the same length."
        ) from error


def check_labels(y: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Labels as (n,) int32 and their number of classes.

    Raises:
        UserError: wrong shape or type, or not exactly 0..k-1 with k >= 2.
    """
    if y.shape == (count, 1):
        y = y[:, 0]
    remedy = "Map them with y = np.unique(y, return_inverse=True)[1]."
    if y.ndim != 1:
        hint = " For one-hot labels save y.argmax(axis=1)." if y.ndim == 2 else ""
        raise UserError(f"y must have shape (n,), received {y.shape}.{hint}")
    if len(y) != count:
        raise UserError(f"x has {count:,} rows and y has {len(y):,} labels; they must agree.")
    if y.dtype.kind not in "iub":
        raise UserError(f"y must hold integer labels 0 to k-1, received {y.dtype}. {remedy}")
    present = np.unique(y)
    if len(present) < 2:
        raise UserError(
            f"y holds {len(present)} different label(s); a classification needs 2 at least."
        )
    if present[0] != 0 or present[-1] != len(present) - 1:
        raise UserError(
            f"y must hold every label from 0 to k-1; received {len(present):,} different labels "
            f"between {present[0]} and {present[-1]}. {remedy}"
        )
    return y.astype(np.int32), len(present)


def check_inputs(x: np.ndarray, inputs: str) -> tuple[np.ndarray, bool]:
    """Inputs as (n, length) int32 and True for tokens, or (n, features) float32 and False.

    Args:
        x: (n, ...) as loaded.
        inputs: "auto", "tokens" or "features".

    Raises:
        UserError: wrong shape or type, negative tokens, NaN or infinity.
    """
    if inputs not in ("auto", "tokens", "features"):
        raise UserError(f"task.inputs must be auto, tokens or features, received {inputs!r}.")
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise UserError(
            f"x must have shape (n, length) or (n, ...features), received {x.shape}. For one "
            "number an example save x.reshape(-1, 1)."
        )
    if len(x) == 0:
        raise UserError("x holds no examples.")
    if x.dtype.kind not in "iubf":
        raise UserError(f"x must hold integers or real numbers, received {x.dtype}.")
    integers = x.dtype.kind in "iu"
    if inputs == "tokens" or (inputs == "auto" and integers and x.ndim == 2):
        return _check_tokens(x, integers), True
    with np.errstate(over="ignore"):
        features = x.reshape(len(x), -1).astype(np.float32)
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise UserError(
            f"x holds NaN, or numbers that are infinite in float32, in {int(bad.sum()):,} of "
            f"{len(x):,} rows, the first of them row {int(np.argmax(bad))}. Drop or fill them."
        )
    return features, False


def _check_tokens(x: np.ndarray, integers: bool) -> np.ndarray:
    if not integers:
        raise UserError(
            f"Tokens must be integers, received x of {x.dtype}. Save x.astype('int32') if the "
            "values are whole numbers, or set task.inputs to features."
        )
    if x.ndim != 2:
        raise UserError(f"Tokens must have shape (n, length), received {x.shape}.")
    if x.min() < 0 or x.max() > _MAX_TOKEN:
        raise UserError(
            f"Tokens must lie between 0 and {_MAX_TOKEN:,}, received {x.min()} to {x.max()}. "
            "Renumber them, or set task.inputs to features."
        )
    return x.astype(np.int32)


def check_difficulty(difficulty: np.ndarray, count: int) -> np.ndarray:
    """How hard each example is, as (n,) float64.

    Raises:
        UserError: wrong shape or type, NaN or infinity.
    """
    if difficulty.shape != (count,) or difficulty.dtype.kind not in "iubf":
        raise UserError(
            f"difficulty must hold one number an example, shape ({count},); received "
            f"{difficulty.dtype} of shape {difficulty.shape}."
        )
    numbers = difficulty.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise UserError("difficulty holds NaN or infinity; larger numbers are harder examples.")
    return numbers


@TASKS.register("arrays")
def arrays(options: object, seed: int) -> TaskData:
    """Classification of the user's own examples.

    Args:
        options: see `ArraysOptions`.
        seed: of the split.

    Returns:
        The task; num_classes and token ranges are those found in the file.

    Raises:
        UserError: see `load_arrays`, `check_inputs` and `check_labels`; too few examples.
    """
    chosen = read_options(ArraysOptions, options)
    if not str(chosen.path):
        raise UserError("task.path is missing: name an .npz file with x and y.")
    raw_x, raw_y, difficulty = load_arrays(chosen.path)
    x, is_tokens = check_inputs(raw_x, chosen.inputs)
    y, num_classes = check_labels(raw_y, len(x))
    kind = "tokens" if is_tokens else "features"
    low, high = x.min(axis=0), x.max(axis=0)
    return TaskData(
        "arrays",
        x,
        y,
        num_classes=num_classes,
        seed=seed,
        vocab_size=int(high.max()) + 1 if is_tokens else None,
        token_ranges=(
            tuple((int(lo), int(hi - lo) + 1) for lo, hi in zip(low, high, strict=True))
            if is_tokens
            else None
        ),
        title=f"{Path(chosen.path).name} ({x.shape[1]:,} {kind}, {num_classes:,} classes)",
        scores={} if difficulty is None else {"given": check_difficulty(difficulty, len(x))},
        **chosen.split(),
    )
