"""What one export is told to do; goes to its two processes as a JSON file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokkeras.strict_json import dumps

JOB_FILE = "job.json"
REFERENCE_FILE = "reference.npz"  # x, and the logits of the training backend
MODEL_FILE = "model.keras"
VERSION_FOLDER = "version"


@dataclass(frozen=True)
class Job:
    """One export.

    Attributes:
        scratch: a folder of its own; the files above lie there.
        name: of the served model.
        backend: the training backend, which gives the reference.
        card: see `TaskCard.to_dict`.
        run: the run folder, or None where `model.keras` lies in `scratch` already.
        modulus_operation: (operation, modulus) of modular arithmetic, for the circle.
        imports: modules that register the classes which `model.keras` names.
        from_logits: the model's output are logits; else probabilities.
    """

    scratch: Path
    name: str
    backend: str
    card: dict[str, Any]
    run: Path | None = None
    modulus_operation: tuple[str, int] | None = None
    imports: list[str] = field(default_factory=lambda: ["grokkeras.models"])
    from_logits: bool = True

    def write(self) -> Path:
        """Writes `job.json` into the scratch folder."""
        values = dataclasses.asdict(self)
        values["scratch"] = str(self.scratch)
        values["run"] = None if self.run is None else str(self.run)
        path = self.scratch / JOB_FILE
        path.write_text(dumps(values, indent=2), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: str | Path) -> Job:
        """Reads what `write` wrote."""
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        values["scratch"] = Path(values["scratch"])
        values["run"] = None if values["run"] is None else Path(values["run"])
        pair = values["modulus_operation"]
        values["modulus_operation"] = None if pair is None else tuple(pair)
        return cls(**values)

    @property
    def version_folder(self) -> Path:
        """Where the version is put together."""
        return self.scratch / VERSION_FOLDER
