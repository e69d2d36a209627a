"""Checkpoints of a training run that a crash, a full disk or a flipped bit cannot spoil.

One checkpoint is a directory `step-00000500/`:

    arrays.safetensors   the current weights, optimizer and generator states
    best.safetensors     the weights at the best validation accuracy, if there are any yet
    state.json           everything that is not an array
    manifest.json        format version, step, score, size and SHA-256 of each file, its own SHA-256

It is written under another name, fsynced and renamed, so a directory with this name is whole;
the checksums find what happens to it afterwards. Nothing is ever unpickled.
"""

from grokkeras.checkpoint.directory import Checkpoint, DamagedError, load
from grokkeras.checkpoint.store import CheckpointStore

__all__ = ["Checkpoint", "CheckpointStore", "DamagedError", "load"]
