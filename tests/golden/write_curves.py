"""Writes `curves.json` anew: `python tests/golden/write_curves.py`.

Only when numbers are meant to change. Say in the commit what changed them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from backend_cases import run_cases  # noqa: E402
from helpers import BACKENDS  # noqa: E402


def main() -> None:
    curves = {backend: dict(run_cases(backend, HERE / "cases_golden.py")) for backend in BACKENDS}
    (HERE / "curves.json").write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
