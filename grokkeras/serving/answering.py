"""What an inference request goes through, from its body to its answer, in every protocol."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope

from grokkeras.serving import open_inference, solve, tensorflow_rest
from grokkeras.serving.body import BodyReader, CutOffError, parse_object
from grokkeras.serving.errors import RequestError
from grokkeras.serving.metrics import Metrics
from grokkeras.serving.repository import Repository
from grokkeras.serving.settings import Settings
from grokkeras.serving.version import Version

log = logging.getLogger("grokkeras.serving")

Headers = Mapping[bytes, bytes]
Work = Callable[[bytes, Headers, Version], Awaitable[Response]]


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON; NumPy arrays in `value` are lists there."""
    content = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers, media_type="application/json")


def error_response(error: RequestError) -> Response:
    """A refusal, in the form that both protocols share."""
    headers = {}
    if isinstance(error, CutOffError):
        headers["connection"] = "close"
    if error.status == 503:
        headers["retry-after"] = "1"
    return json_response({"error": str(error)}, error.status, headers)


class Server:
    """The state of one server, and what its routes do.

    Args:
        settings: see `Settings`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bodies = BodyReader(settings.max_body_bytes, settings.body_seconds)
        self.metrics = Metrics()
        self.repository = Repository(settings, self.metrics.batch)
        self.metrics.watch(self.repository)
        self.works: dict[str, Work] = {
            "predict": self.predict,
            "infer": self.infer,
            "solve": self.solve,
        }

    async def answer(
        self, scope: Scope, receive: Receive, route: str, name: str, number: str | None
    ) -> Response:
        """Reads a request's body, finds the version and lets the route answer; never raises.

        Args:
            scope, receive: ASGI's.
            route: `predict`, `infer` or `solve`.
            name: of the model, as it stands in the URL.
            number: of the version, likewise; None: the newest.
        """
        began = time.perf_counter()
        model = "unknown"
        headers = dict(scope["headers"])
        try:
            body = await self.bodies.read(receive, headers)
            with self.repository.find(name, number).lease() as version:
                model = version.name
                response = await self.works[route](body, headers, version)
        except RequestError as error:
            response = error_response(error)
        except asyncio.CancelledError:  # the time to drain is over
            response = error_response(RequestError("The server is stopping.", 503))
        except Exception:
            log.exception("request_failed", extra={"route": route, "model": model})
            response = json_response({"error": "The server failed; its log says why."}, 500)
        seconds = time.perf_counter() - began
        self.metrics.request(model, route, response.status_code, seconds)
        if self.settings.access_log:
            log.info(
                "request",
                extra={
                    "route": route,
                    "model": model,
                    "status": response.status_code,
                    "milliseconds": round(1000 * seconds, 3),
                },
            )
        return response

    async def predict(self, body: bytes, headers: Headers, version: Version) -> Response:
        """TensorFlow Serving's `:predict`."""
        rows, outputs, by_row = tensorflow_rest.read_predict(
            parse_object(body), version.card, self.settings.max_rows
        )
        answers = await version.batcher.run(rows, outputs)
        return json_response(tensorflow_rest.write_predict(answers, outputs, by_row))

    async def infer(self, body: bytes, headers: Headers, version: Version) -> Response:
        """The Open Inference Protocol's `infer`."""
        header = headers.get(open_inference.HEADER)
        asked = open_inference.read_infer(body, header, version.card, self.settings.max_rows)
        answers = await version.batcher.run(asked.rows, asked.outputs)
        content, json_length = open_inference.write_infer(asked, version, answers)
        if json_length is None:
            return Response(content, media_type="application/json")
        told = {"Inference-Header-Content-Length": str(json_length)}
        return Response(content, 200, told, media_type="application/octet-stream")

    async def solve(self, body: bytes, headers: Headers, version: Version) -> Response:
        """The task's own words."""
        row = solve.read_solve(parse_object(body), version.card)
        answers = await version.batcher.run(row, ("class", "probability"))
        return json_response(solve.write_solve(answers, version.card))
