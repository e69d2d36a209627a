"""`grokkeras export`: a run's model as something to serve."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("export")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="saved_models",
    metavar="DIR",
    help="The folder of all models. Default: saved_models.",
)
@click.option("--name", metavar="NAME", help="The model's name. Default: the run's.")
@click.option("--version", type=int, metavar="N", help="Its number. Default: the next.")
@click.option("--allow-ungrokked", is_flag=True, help="Export it even if it has not grokked.")
def command(
    run_dir: Path, out: Path, name: str | None, version: int | None, allow_ungrokked: bool
) -> None:
    """Export the model of RUN_DIR at its best validation accuracy.

    It becomes OUT/NAME/VERSION: a SavedModel, its ONNX twin, a manifest, and a
    report that holds both against the backend that trained it.

    \b
    Example:
      grokkeras export runs/quickstart-1
      grokkeras serve saved_models
    """
    from grokkeras.export import export_run

    exported = export_run(run_dir, out, name, version, allow_ungrokked)
    parity = exported.parity
    click.echo(f"Exported {exported.path}")
    for form, title in (("saved_model", "SavedModel"), ("onnx", "ONNX")):
        found = parity[form]
        click.echo(
            f"  {title}: largest difference of a logit from {parity['backend']} "
            f"{found['largest_difference']:.2g}, same class on "
            f"{100 * found['argmax_agreement']:.4g} % of {parity['inputs']:,} inputs"
        )
    click.echo(f"Serve it: grokkeras serve {out}")
