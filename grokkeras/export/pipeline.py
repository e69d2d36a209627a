"""The steps of one export, from a job to a published version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.errors import GrokkerasError, UserError
from grokkeras.export.job import REFERENCE_FILE, Job
from grokkeras.export.manifest import write_manifest
from grokkeras.export.process import run_worker
from grokkeras.export.publish import check_name, choose_version, publish, scratch_folder
from grokkeras.files import disk_errors

MAX_INPUTS = 20_000
FORMS = ("keras", "saved_model", "onnx")


@dataclass(frozen=True)
class Exported:
    """A published version.

    Attributes:
        path: its folder.
        name: of the model.
        version: its number.
        manifest: the contents of `manifest.json`.
        parity: the contents of `parity.json`.
    """

    path: Path
    name: str
    version: int
    manifest: dict[str, Any]
    parity: dict[str, Any]


def export_model(
    make_job: Callable[[Path], Job],
    out: str | Path,
    name: str,
    version: int | None,
    inputs: np.ndarray,
    provenance: Mapping[str, Any],
    logits: np.ndarray | None = None,
) -> Exported:
    """Exports a model and publishes it if it agrees with the training backend.

    Args:
        make_job: given the scratch folder, says what to do, and has put `model.keras` there if
            there is no run to load it from.
        out: the folder of all models.
        name: of this one.
        version: its number; None takes the next.
        inputs: (n, length), what the exported forms are compared on.
        provenance: goes into the manifest.
        logits: (n, classes) of the training backend; None lets a process compute them.

    Returns:
        The published version.

    Raises:
        UserError: a name or version that cannot be, or no place to write.
        GrokkerasError: a process failed, or an exported form answers otherwise than the model.
    """
    require_packages()
    out = Path(out)
    folder = out / check_name(name)
    chosen = choose_version(folder, version)
    with scratch_folder(out) as scratch:
        job = make_job(scratch)
        reference = {"x": inputs} if logits is None else {"x": inputs, "logits": logits}
        with disk_errors("the model to export", scratch):
            np.savez(scratch / REFERENCE_FILE, **reference)  # type: ignore[arg-type]
            job_file = job.write()
        if logits is None:
            run_worker("grokkeras.export.reference", job_file, job.backend)
        run_worker("grokkeras.export.convert", job_file, "tensorflow")
        made = job.version_folder
        parity = json.loads((made / "parity.json").read_text(encoding="utf-8"))
        refuse_mismatch(parity)
        manifest = write_manifest(made, name, chosen, provenance)
        path = publish(made, folder, version, chosen)
    return Exported(path, name, chosen, manifest, parity)


def require_packages() -> None:
    """Refuses at once, rather than after training, where the extra is not installed.

    Raises:
        UserError: says how to install it.
    """
    from grokkeras.environment import package_version

    needed = ("tensorflow", "onnx", "tf2onnx", "onnxruntime")
    missing = [name for name in needed if package_version(name) is None]
    if missing:
        raise UserError(f"Export needs {', '.join(missing)}: pip install 'grokkeras[export]'.")


def refuse_mismatch(parity: Mapping[str, Any]) -> None:
    """Raises a GrokkerasError if an exported form answers otherwise than the training backend."""
    for form in FORMS:
        found = parity[form]
        if found["mismatches"]:
            raise GrokkerasError(
                f"Nothing was published: {form} gives another class than the training backend "
                f"({parity['backend']}) on {found['mismatches']:,} of {parity['inputs']:,} "
                f"inputs whose two best logits are more than {parity['tie']:g} apart, the first "
                f"of them input {found['first_mismatch']}; largest difference of any two logits "
                f"{found['largest_difference']:.3g}."
            )
        if not found.get("class_is_argmax", True):
            raise GrokkerasError(
                f"Nothing was published: in {form} the output 'class' is not the largest logit."
            )


def sample_inputs(x: np.ndarray, most: int = MAX_INPUTS) -> np.ndarray:
    """At most `most` rows of x, evenly spread over it."""
    if len(x) <= most:
        return x
    return x[np.linspace(0, len(x) - 1, most).round().astype(int)]
