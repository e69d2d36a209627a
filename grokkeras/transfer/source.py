"""Where transferred weights come from: a finished run, or a `.keras` file."""

from __future__ import annotations

import shlex
import zipfile
import zlib
from pathlib import Path
from typing import Any

from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder


def find_source(source: str | Path) -> Path:
    """The `.keras` file of a run folder, or the file itself; imports no Keras.

    Raises:
        UserError: there is no such run or file, or the run has not finished.
    """
    path = Path(source)
    if path.is_file():
        if path.suffix != ".keras":
            raise UserError(f"{path} is neither a run folder nor a .keras file.")
        return path
    if not path.exists() and path.suffix == ".keras":
        raise UserError(f"There is no file {path}.")
    folder = RunFolder.open(path, require_backend=False)
    status = folder.read_summary()["status"]
    if status != "finished":
        raise UserError(
            f"{path} has no model to take weights from: the run is {status}. Finish it: "
            f"grokkeras resume {shlex.quote(str(path))}"
        )
    if not folder.model_path.is_file():
        raise UserError(f"{path} has no model to take weights from: model.keras is gone.")
    return folder.model_path


def load_source(source: str | Path) -> Any:
    """The Keras model of a run (its best validation accuracy) or file.

    Raises:
        UserError: as `find_source`, or the file is no Keras model.
    """
    path = find_source(source)
    import keras

    import grokkeras.models  # noqa: F401  registers the classes that Keras will look for

    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} cannot be read as a Keras model: {error}") from error
