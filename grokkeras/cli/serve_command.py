"""`grokkeras serve`: exported models over HTTP."""

from __future__ import annotations

import errno
import importlib.util
import os
from pathlib import Path

import click

from grokkeras.errors import UserError

_NEEDED = {
    "fastapi": "fastapi",
    "httptools": "httptools",
    "orjson": "orjson",
    "prometheus_client": "prometheus-client",
    "uvicorn": "uvicorn",
}
_ENGINE_NEEDS = {"onnx": "onnxruntime", "tensorflow": "tensorflow"}


@click.command("serve")
@click.argument(
    "models_dir",
    type=click.Path(path_type=Path),
    default="saved_models",
    envvar="MODEL_BASE_PATH",
)
@click.option("--host", default="127.0.0.1", metavar="H", envvar="HOST", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8501, envvar="PORT", show_default=True
)
@click.option("--model-name", metavar="NAME", envvar="MODEL_NAME", help="Serve this model alone.")
@click.option(
    "--engine",
    type=click.Choice(list(_ENGINE_NEEDS)),
    default="onnx",
    envvar="ENGINE",
    show_default=True,
    help="onnx: ONNX Runtime. tensorflow: the SavedModel itself.",
)
@click.option(
    "--keep-versions",
    type=click.IntRange(1),
    default=2,
    envvar="KEEP_VERSIONS",
    show_default=True,
    help="How many versions of a model are served, the newest.",
)
@click.option(
    "--poll-seconds",
    type=click.FloatRange(0.05),
    default=2.0,
    envvar="POLL_SECONDS",
    show_default=True,
    help="How often to look for new versions.",
)
@click.option(
    "--max-body-mb",
    type=click.IntRange(1),
    default=16,
    envvar="MAX_BODY_MB",
    show_default=True,
    help="A longer body is refused.",
)
@click.option(
    "--max-queued-rows",
    type=click.IntRange(1),
    default=65_536,
    envvar="MAX_QUEUED_ROWS",
    show_default=True,
    help="Beyond it, requests get 503 at once.",
)
@click.option(
    "--body-seconds",
    type=click.FloatRange(0.05),
    default=20.0,
    envvar="BODY_SECONDS",
    show_default=True,
    help="Headers, or a body, that take longer to arrive are refused.",
)
@click.option("--access-log", is_flag=True, envvar="ACCESS_LOG", help="Log every request.")
def command(
    models_dir: Path,
    host: str,
    port: int,
    model_name: str | None,
    engine: str,
    keep_versions: int,
    poll_seconds: float,
    max_body_mb: int,
    max_queued_rows: int,
    body_seconds: float,
    access_log: bool,
) -> None:
    """Serve the models in MODELS_DIR, by default saved_models.

    TensorFlow Serving's REST protocol and the Open Inference Protocol, a page at
    /, and POST /v1/models/NAME:solve. Options may come from the environment:
    MODEL_BASE_PATH, MODEL_NAME, PORT, HOST, ENGINE, ... Ctrl-C ends it.

    \b
    Example:
      grokkeras serve saved_models
      grokkeras serve saved_models --host 0.0.0.0 --port 8501
    """
    _check_packages(engine)
    _check_folder(models_dir, model_name)
    from grokkeras.serving.server import bind, serve
    from grokkeras.serving.settings import Settings

    settings = Settings(
        models_dir=models_dir,
        model_name=model_name,
        host=host,
        port=port,
        engine=engine,
        keep_versions=keep_versions,
        poll_seconds=poll_seconds,
        max_body_bytes=max_body_mb * 2**20,
        max_queued_rows=max_queued_rows,
        body_seconds=body_seconds,
        access_log=access_log,
    )
    try:
        listening = bind(host, port)
    except OSError as error:
        reason = (
            "is in use by another program"
            if error.errno == errno.EADDRINUSE
            else f"cannot be opened ({error.strerror or error})"
        )
        raise UserError(
            f"Port {port} on {host} {reason}. Choose another with --port or --host."
        ) from error
    serve(settings, listening)


def _check_packages(engine: str) -> None:
    needed = {**_NEEDED, _ENGINE_NEEDS[engine]: _ENGINE_NEEDS[engine]}
    missing = [name for module, name in needed.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"serve needs {', '.join(missing)}: pip install 'grokkeras[serve]'.")


def _check_folder(models_dir: Path, model_name: str | None) -> None:
    if not models_dir.is_dir():
        raise UserError(
            f"Expected a folder of exported models, but there is no folder {models_dir}. Make one: "
            f"grokkeras export RUN_DIR --out {models_dir}."
        )
    if not os.access(models_dir, os.R_OK | os.X_OK):
        raise UserError(f"{models_dir} cannot be read by this user.")
    if model_name is not None and ("/" in model_name or model_name.startswith(".")):
        raise UserError(f"--model-name: {model_name!r} is no name of a model in {models_dir}.")
    if any(path.parent.name.isdigit() for path in models_dir.glob("*/saved_model.pb")):
        raise UserError(
            f"{models_dir} is one model's own folder, expected the folder of all models: "
            f"grokkeras serve {models_dir.parent}"
        )
