"""`grokkeras report`: what became of runs, as a page and as figures."""

from __future__ import annotations

from pathlib import Path

import click

from grokkeras.errors import UserError


@click.command("report")
@click.argument("run_dirs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Where to write it. Default: report.html in the run folder, or here for several runs.",
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write each figure as SVG and PNG into DIR.",
)
def command(run_dirs: tuple[Path, ...], out: Path | None, figures: Path | None) -> None:
    """Write what became of the runs in RUN_DIRS as one HTML file.

    The file loads nothing from anywhere; a run that is stuck or failed is explained.

    \b
    Example:
      grokkeras report runs/quickstart-1
      grokkeras report runs/decay-* --out decay.html --figures figures
    """
    from grokkeras.files import write_atomic
    from grokkeras.report.page import report_page
    from grokkeras.run_folder import read_run

    records = [read_run(path) for path in run_dirs]
    if out is None:
        out = Path("report.html") if len(records) > 1 else records[0].path / "report.html"
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent} to write {out.name} into.")
    write_atomic(out, report_page(records).encode(), "the report")
    click.echo(f"Wrote {out}.")
    if figures is not None:
        from grokkeras.report.files import write_figures

        count = write_figures(records, figures)
        click.echo(f"Wrote {count} figures, each as SVG and PNG, into {figures}.")
