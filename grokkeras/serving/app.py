"""The application: routes of both protocols, of the task's own words, and of operations."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from grokkeras.serving import open_inference, openapi, tensorflow_rest
from grokkeras.serving.answering import Server, error_response, json_response
from grokkeras.serving.errors import RequestError
from grokkeras.serving.metrics import CONTENT_TYPE
from grokkeras.serving.settings import Settings

log = logging.getLogger("grokkeras.serving")

_BAD = (400, 404, 408, 413, 415, 500, 503)
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}


class _NameConvertor(Convertor[str]):
    """A name without a colon, so that `NAME:predict` is no model of that name."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("plain", _NameConvertor())


def make_app(settings: Settings) -> FastAPI:
    """The ASGI application; its `state.server` is the `Server`."""
    server = Server(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await server.repository.refresh()
        if not server.repository.ready:
            log.warning("nothing_to_serve", extra=_asked_for(settings))
        watching = asyncio.create_task(server.repository.watch())
        yield
        watching.cancel()
        server.repository.close()

    # No documentation pages: they would load scripts from elsewhere.
    app = FastAPI(
        title="grokkeras serve", version="1", docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.server = server
    _add_inference(app, server)
    _add_models(app, server)
    _add_operations(app, server)
    _add_pages(app)
    _add_errors(app)
    return app


def _asked_for(settings: Settings) -> dict[str, str]:
    return {"folder": str(settings.models_dir), "model": settings.model_name or "any"}


def _add_inference(app: FastAPI, server: Server) -> None:
    v1, v2 = "/v1/models/{name:plain}VERSION", "/v2/models/{name:plain}VERSION"
    routes: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("predict", f"{v1}:predict", openapi.PREDICT, openapi.PREDICTIONS),
        ("infer", f"{v2}/infer", openapi.INFER, openapi.INFERRED),
        ("solve", f"{v1}:solve", openapi.SOLVE, openapi.SOLVED),
    ]
    for route, path, takes, gives in routes:
        _add_route(app, server, route, path, takes, gives)


def _add_route(
    app: FastAPI,
    server: Server,
    route: str,
    path: str,
    takes: dict[str, Any],
    gives: dict[str, Any],
) -> None:
    documented: dict[str, Any] = {
        "methods": ["POST"],
        "openapi_extra": openapi.body(takes),
        "responses": openapi.answers(gives, *_BAD),
        "response_class": Response,
    }

    async def newest(request: Request, name: str) -> Response:
        return await server.answer(request.scope, request.receive, route, name, None)

    async def specific(request: Request, name: str, version: str) -> Response:
        return await server.answer(request.scope, request.receive, route, name, version)

    for handler, version in ((newest, ""), (specific, "/versions/{version:plain}")):
        app.add_api_route(
            path.replace("VERSION", version),
            handler,
            operation_id=f"{route}_{handler.__name__}",
            summary=f"{route} on the {handler.__name__} version",
            **documented,
        )


def _add_models(app: FastAPI, server: Server) -> None:
    repository = server.repository
    found: dict[str, Any] = {
        "responses": openapi.answers({"type": "object"}, 404),
        "response_class": Response,
    }

    @app.get("/v1/models", **found)
    async def models() -> Response:
        names = sorted(name for name, model in repository.models.items() if model.versions)
        return json_response({"models": names})

    @app.get("/v1/models/{name:plain}/task", **found)
    async def task(name: str) -> Response:
        version = repository.find(name)
        return json_response({"version": str(version.number), **version.card.to_dict()})

    @app.get("/v1/models/{name:plain}/metadata", **found)
    async def metadata(name: str) -> Response:
        return json_response(tensorflow_rest.write_metadata(repository.find(name)))

    @app.get("/v1/models/{name:plain}/versions/{version:plain}/metadata", **found)
    async def version_metadata(name: str, version: str) -> Response:
        return json_response(tensorflow_rest.write_metadata(repository.find(name, version)))

    @app.get("/v1/models/{name:plain}/versions/{version:plain}", **found)
    async def version_status(name: str, version: str) -> Response:
        model = repository.models.get(name)
        return json_response(tensorflow_rest.write_status(name, model, version))

    @app.get("/v1/models/{name:plain}", **found)
    async def status(name: str) -> Response:
        model = repository.models.get(name)
        return json_response(tensorflow_rest.write_status(name, model, None))

    @app.get("/v2/models/{name:plain}/versions/{version:plain}/ready", **found)
    async def version_ready(name: str, version: str) -> Response:
        return json_response({"name": repository.find(name, version).name, "ready": True})

    @app.get("/v2/models/{name:plain}/ready", **found)
    async def model_ready(name: str) -> Response:
        return json_response({"name": repository.find(name).name, "ready": True})

    @app.get("/v2/models/{name:plain}/versions/{version:plain}", **found)
    async def version_model(name: str, version: str) -> Response:
        chosen = repository.find(name, version)
        return json_response(open_inference.write_model(chosen, [chosen.number]))

    @app.get("/v2/models/{name:plain}", **found)
    async def model(name: str) -> Response:
        chosen = repository.find(name)
        numbers = sorted(repository.models[name].versions)
        return json_response(open_inference.write_model(chosen, numbers))


def _add_operations(app: FastAPI, server: Server) -> None:
    plain: dict[str, Any] = {
        "responses": openapi.answers({"type": "object"}),
        "response_class": Response,
    }
    may_fail: dict[str, Any] = {
        "responses": openapi.answers({"type": "object"}, 503),
        "response_class": Response,
    }

    @app.get("/v2", **plain)
    async def server_metadata() -> Response:
        extensions = ["binary_tensor_data"]
        return json_response(
            {"name": "grokkeras", "version": server_version(), "extensions": extensions}
        )

    @app.get("/v2/health/live", **plain)
    async def live() -> Response:
        return json_response({"live": True})

    @app.get("/v2/health/ready", **may_fail)
    async def ready() -> Response:
        is_ready = server.repository.ready
        return json_response({"ready": is_ready}, 200 if is_ready else 503)

    for path in ("/metrics", "/monitoring/prometheus/metrics"):

        @app.get(path, response_class=Response, include_in_schema=False)
        async def metrics() -> Response:
            return Response(server.metrics.text(), headers={"content-type": CONTENT_TYPE})


def _add_pages(app: FastAPI) -> None:
    folder = resources.files("grokkeras.serving") / "page"
    for path, (name, kind) in _PAGES.items():
        page = _page((folder / name).read_bytes(), kind)
        app.add_api_route(path, page, include_in_schema=False, response_class=Response)


def _page(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    # Nothing of it is an argument: FastAPI would take those from the query.
    async def page() -> Response:
        return Response(content, headers={**_HEADERS, "content-type": kind})

    return page


def _add_errors(app: FastAPI) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)
        return error_response(error)

    async def no_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path[:200]
        text = f"Malformed request: {request.method} {path}"
        if error.status_code == 405:
            text += f": expected {(error.headers or {}).get('Allow', 'another method')}"
        return json_response({"error": text}, error.status_code, dict(error.headers or {}))

    app.add_exception_handler(RequestError, refused)
    app.add_exception_handler(HTTPException, no_route)


def server_version() -> str:
    """The installed version of grokkeras."""
    from grokkeras import __version__

    return __version__
