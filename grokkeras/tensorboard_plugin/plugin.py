"""The plugin: its routes, and what TensorBoard asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorboard import plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins.base_plugin import FrontendMetadata, TBContext, TBPlugin
from werkzeug import wrappers

from grokkeras.strict_json import dumps
from grokkeras.tensorboard_plugin.source import RunSource

_STATIC = Path(__file__).resolve().parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_SHOWN = ("accuracy", "learning_rate", "weight_decay", "dropout_rate")


class GrokkingPlugin(TBPlugin):
    """The Grokking tab.

    Args:
        context: TensorBoard's; its data provider serves both loaders.
    """

    plugin_name = "grokking"

    def __init__(self, context: TBContext) -> None:
        self._source = RunSource(context.data_provider, context.logdir)

    def get_plugin_apps(self) -> Mapping[str, Callable[..., Any]]:
        """One route a static file, by the names that are there, and the data."""
        files = {f"/{path.name}": _serve(path) for path in _STATIC.iterdir() if path.is_file()}
        return {**files, "/data": wrappers.Request.application(self._data)}

    def is_active(self) -> bool:
        """False: TensorBoard activates the tab by `data_plugin_names` where there are scalars."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        return ("scalars",)

    def frontend_metadata(self) -> FrontendMetadata:
        return FrontendMetadata(es_module_path="/index.js", tab_name="Grokking")

    def _data(self, request: wrappers.Request) -> Any:
        answer = self._source.answer(
            plugin_util.context(request.environ),
            plugin_util.experiment_id(request.environ),
            request.args.getlist("name") or _SHOWN,
            request.args.get("version"),
            full=request.args.get("full") == "1",
        )
        # As text: TensorBoard's own JSON would turn NaN into strings and copy everything once more.
        return http_util.Respond(request, dumps(answer), "application/json")


def _serve(path: Path) -> Callable[..., Any]:
    content = path.read_text(encoding="utf-8")

    @wrappers.Request.application
    def serve(request: wrappers.Request) -> Any:
        return http_util.Respond(request, content, _TYPES[path.suffix])

    return serve
