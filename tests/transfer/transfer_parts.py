"""What the cases of initial weights and of transfer share."""

from __future__ import annotations

from keras import ops

from grokkeras.errors import UserError

RANGES = [(0, 7), (0, 7), (7, 1)]


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def refused(**cases):
    said = {}
    for name, case in cases.items():
        try:
            case()
            said[name] = None
        except UserError as error:
            said[name] = str(error)
    return said
