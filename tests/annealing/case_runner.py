"""Runs the `case_*` functions of modules in one process and prints what went wrong, as JSON."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).parent


def names(module):
    """The cases of a module, read from its text: importing it would import Keras."""
    text = (HERE / f"{module}.py").read_text(encoding="utf-8")
    return re.findall(r"^def case_(\w+)\(", text, re.MULTILINE)


def code(*modules):
    """Source for `run_on_backend`."""
    return (
        f"import sys; sys.path[:0] = [{str(HERE)!r}]\n"
        f"import case_runner\n"
        f"case_runner.run(*{modules!r})\n"
    )


def run(*modules):
    """Prints `{module: {case: null or traceback}}` as the last line."""
    outcome = {}
    for module in modules:
        outcome[module] = {}
        for name, function in list(vars(importlib.import_module(module)).items()):
            if not name.startswith("case_"):
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    function()
                outcome[module][name[5:]] = None
            except Exception:
                outcome[module][name[5:]] = traceback.format_exc()
    sys.stdout.write("\n" + json.dumps(outcome) + "\n")
