"""`grokkeras reproduce`: published results run anew, and held beside the papers' numbers."""

from __future__ import annotations

from pathlib import Path

import click

from grokkeras.cli.options import plain_option, retry_option, workers_option
from grokkeras.errors import UserError


@click.command("reproduce")
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=3,
    metavar="N",
    help="Run seeds 0 to N-1. Default: 3.",
)
@click.option("--list", "only_list", is_flag=True, help="List the cases, run nothing.")
@click.option("--backend", metavar="NAME", help="tensorflow, jax or torch.")
@workers_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="runs/reproduce",
    metavar="DIR",
    help="The folder of all runs. Default: runs/reproduce.",
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    default="docs/reproduction.md",
    metavar="FILE",
    help="Where to write the page on all cases. A record beside it (.jsonl) keeps runs whose"
    " folders are gone. Default: docs/reproduction.md.",
)
@retry_option
@plain_option
def command(
    names: tuple[str, ...],
    seeds: int,
    only_list: bool,
    backend: str | None,
    workers: int | None,
    out: Path,
    page: Path,
    retry: bool,
    plain: bool,
) -> None:
    """Run published cases over seeds, and hold ours beside the published numbers.

    CASE is G1 to G15, or a single setting of one; without any, all are run, which
    takes many hours. However it ended, the same command does what is missing.

    \b
    Example:
      grokkeras reproduce --list
      grokkeras reproduce G1 G4 g7-f0.5 --seeds 3 --backend jax
    """
    from grokkeras.reproduction import choose

    arms = choose(names)
    if only_list:
        from grokkeras.reproduction.words import list_lines

        click.echo("\n".join(list_lines(arms)))
        return
    record = page.with_suffix(".jsonl")
    if record == page:
        better = page.with_suffix(".md")
        raise UserError(f"--page {page}: that is the record's name, expected such as {better}.")
    here = [arm for arm in arms if arm.needs is None or Path(arm.needs).is_file()]
    for arm in arms:
        if arm not in here:
            click.echo(f"{arm.case}, {arm.what}: left out, since there is no {arm.needs} here.")
    jobs = [job for arm in here for job in arm.jobs(range(seeds), out, backend)]

    from grokkeras.cli.pool import finish, run_jobs
    from grokkeras.config.backend import default_backend
    from grokkeras.reproduction.found import find_all, read_record, with_record
    from grokkeras.reproduction.page import write_page
    from grokkeras.reproduction.words import results_table

    read_record(record)  # a damaged one is told before the runs, not hours after
    console, outcomes, complete = run_jobs(jobs, out, "process", workers, retry, plain)
    found, left_out = find_all(out, backend)
    for line in left_out:
        console.print(line, soft_wrap=True)
    console.print(results_table(arms, found))
    used = backend or default_backend()[0]
    write_page(page, with_record(record, found, backend), used)
    finish(console, outcomes, complete, f"Wrote {page}.")
