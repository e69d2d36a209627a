"""`grokkeras explain`: why a run is stuck, or went well, and what to change."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("explain")
@click.argument("run_dir", type=click.Path(path_type=Path))
def command(run_dir: Path) -> None:
    """Say why the run in RUN_DIR is stuck, or went well, and what to change.

    Each cause comes with the evidence from the run and with where it is known from.

    \b
    Example:
      grokkeras explain runs/quickstart-1
    """
    from grokkeras.logging.story import headline
    from grokkeras.report.causes import explain
    from grokkeras.run_folder import read_run

    record = read_run(run_dir)
    phase = record.summary.get("phase")
    _paragraph(headline(record) + (f" Phase: {phase}." if phase else ""))
    for cause in explain(record):
        click.echo()
        click.secho(cause.name[:1].upper() + cause.name[1:], bold=True)
        _paragraph(cause.evidence, "  ")
        if cause.advice:
            _paragraph(f"What to do: {cause.advice}", "  ")
        if cause.source:
            _paragraph(f"Known from: {cause.source}.", "  ")


def _paragraph(text: str, indent: str = "") -> None:
    import shutil

    width = min(shutil.get_terminal_size().columns, 100)
    click.echo(click.wrap_text(text, width, indent, indent))
