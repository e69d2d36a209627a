"""Which depth groks, with residual connections and without.

`python -m benchmarks.studies.architecture` trains `configs/architecture.yaml` at depths 1, 2, 4, 6
and 8 on three seeds each and writes the table of `docs/architecture.md`. Only depth and residuals
change: the optimizer's numbers are those of the configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.studies.runs import run_all, summarize
from benchmarks.studies.tables import share, steps, write_table
from grokkeras.config.shipped import find_config
from grokkeras.config.yaml_core import parse_yaml

DEPTHS = (1, 2, 4, 6, 8)
SEEDS = range(3)


def settings() -> dict[str, dict[str, Any]]:
    """A configuration for every depth, with residuals and without."""
    path = find_config("architecture")
    base, _ = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    return {
        name(depth, residual): {
            **base,
            "model": {**base["model"], "num_layers": depth, "residual": residual},
        }
        for residual in (False, True)
        for depth in DEPTHS
    }


def name(depth: int, residual: bool) -> str:
    """Such as `depth 4 residual`."""
    return f"depth {depth} {'residual' if residual else 'plain'}"


def main() -> None:
    """Runs what is missing and writes the table."""
    found = run_all("architecture", settings(), SEEDS)
    rows = []
    for depth in DEPTHS:
        row = [str(depth)]
        for residual in (False, True):
            figures = summarize(found[name(depth, residual)])
            row += [share(figures), steps(figures, "memorized"), steps(figures)]
        rows.append(row)
    one = ("seeds that grok", "memorised", "grokked")
    headings = ["hidden layers", *one, *(f"residual: {words}" for words in one)]
    write_table(Path("docs") / "architecture.md", "table", headings, rows)


if __name__ == "__main__":
    main()
