"""Many cases in one process of a backend, each asserted by a test of its own.

Importing a backend takes seconds, so a test file has one `cases_*.py` beside it whose `main` gives
a dictionary of cases. `run_cases` runs it once a backend, usually from a module-scoped fixture.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from helpers import BACKENDS, run_on_backend

TESTS = Path(__file__).resolve().parent
_MARK = "RESULTS "


class Results(Mapping[str, Any]):
    """What each case returned; asking for one that failed fails with its traceback."""

    def __init__(self, backend: str, entries: dict[str, Any]) -> None:
        self.backend = backend
        self._entries = entries

    def __getitem__(self, name: str) -> Any:
        value, error = self._entries[name]
        assert error is None, f"{self.backend}, {name}:\n{error}"
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def run_cases(backend: str, file: Path, *arguments: str, timeout: float = 300) -> Results:
    """Runs every case that `main(*arguments)` of a cases file gives, in a fresh process."""
    code = f"""
import sys
sys.path[:0] = [{str(TESTS)!r}, {str(file.parent)!r}]
if {backend!r} == "torch":
    # Threads cost more than they bring on arrays this small, most of all on a busy machine.
    import torch
    torch.set_num_threads(1)
from backend_cases import collect
from {file.stem} import main
collect(main(*{arguments!r}))
"""
    output = run_on_backend(backend, code, timeout=timeout)
    marked = [line for line in output.splitlines() if line.startswith(_MARK)]
    return Results(backend, json.loads(marked[-1].removeprefix(_MARK)))


def run_everywhere(file: Path, *arguments: str, timeout: float = 600) -> dict[str, Results]:
    """`run_cases` on every backend, two at a time: much of a process's time is one core's."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = {b: pool.submit(run_cases, b, file, *arguments, timeout=timeout) for b in BACKENDS}
        return {backend: run.result() for backend, run in runs.items()}


def collect(cases: Mapping[str, Callable[[], Any]]) -> None:
    """Calls each case and prints what it returned, or its traceback, as JSON."""
    entries = {}
    for name, case in cases.items():
        try:
            entries[name] = (case(), None)
        except Exception:
            entries[name] = (None, traceback.format_exc())
    print(f"\n{_MARK}{json.dumps(entries, default=float)}", flush=True)
