"""`grokkeras sweep`: a configuration over settings and seeds."""

from __future__ import annotations

from pathlib import Path

import click

from grokkeras.cli.options import plain_option, retry_option, set_option, workers_option


@click.command("sweep")
@click.argument("config")
@click.option("--seeds", required=True, metavar="A:B", help="0:8 are the eight from 0 to 7.")
@click.option(
    "--grid",
    "grids",
    multiple=True,
    metavar="KEY=V1,V2",
    help="Run every value of the dotted KEY; several of these make every combination.",
)
@set_option
@click.option("--backend", metavar="NAME", help="tensorflow, jax or torch.")
@click.option(
    "--engine",
    default="process",
    metavar="NAME",
    help="What does the runs. Default and so far the only one: process, one core a run.",
)
@workers_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of all runs. Default: runs/NAME-sweep.",
)
@retry_option
@plain_option
def command(
    config: str,
    seeds: str,
    grids: tuple[str, ...],
    settings: tuple[str, ...],
    backend: str | None,
    engine: str,
    workers: int | None,
    out: Path | None,
    retry: bool,
    plain: bool,
) -> None:
    """Run CONFIG over seeds and settings, several runs at a time.

    Each run is an ordinary run folder, OUT/SETTING/seed-N. Ctrl-C stops the runs
    with a checkpoint; however a sweep ended, the same command does what is
    missing. A run that fails hurts no other.

    \b
    Example:
      grokkeras sweep quickstart --seeds 0:8
      grokkeras sweep my.yaml --seeds 0:5 --grid optimizer.weight_decay=0.3,1.0,3.0
    """
    from grokkeras.config.overrides import read_settings
    from grokkeras.errors import Fault
    from grokkeras.sweep import plan_sweep, read_grid, read_seeds

    overrides, faults = read_settings(settings)
    if backend is not None:
        overrides["backend"] = backend
    grid, more = read_grid(grids)
    if "seed" in overrides:
        more.append(Fault("--set seed", overrides["seed"], "the seeds as --seeds, such as 0:8"))
    jobs = plan_sweep(config, read_seeds(seeds), grid, out, overrides, [*faults, *more])

    from grokkeras.cli.pool import finish, run_jobs
    from grokkeras.sweep.table import print_results

    root = jobs[0].folder.parent.parent
    console, outcomes, complete = run_jobs(jobs, root, engine, workers, retry, plain)
    print_results(console, outcomes)
    finish(console, outcomes, complete, f"Compare them: grokkeras report {root}/*/seed-*")
