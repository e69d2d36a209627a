"""`grokkeras run`: one training run from a configuration."""

from __future__ import annotations

from pathlib import Path

import click

from grokkeras.cli.options import plain_option, set_option


@click.command("run")
@click.argument("config")
@set_option
@click.option("--backend", metavar="NAME", help="tensorflow, jax or torch.")
@click.option("--seed", type=int, metavar="N", help="The seed, in place of the file's.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The run folder itself. Default: runs/NAME-N, the next free N.",
)
@plain_option
def command(
    config: str,
    settings: tuple[str, ...],
    backend: str | None,
    seed: int | None,
    out: Path | None,
    plain: bool,
) -> None:
    """Train what CONFIG describes, until it groks.

    CONFIG is a YAML file, or the name of one that comes with the program
    (`grokkeras list configs`).

    \b
    Example:
      grokkeras run quickstart
      grokkeras run my.yaml --set optimizer.weight_decay=0.3 --backend jax --seed 1
    """
    from grokkeras.config import load_config
    from grokkeras.config.overrides import read_settings

    overrides, faults = read_settings(settings)
    if backend is not None:
        overrides["backend"] = backend
    if seed is not None:
        overrides["seed"] = seed
    resolved = load_config(config, overrides, known_faults=faults)

    from grokkeras.logging import make_display
    from grokkeras.runner import run

    run(resolved, out=out, display=make_display(plain or None))
