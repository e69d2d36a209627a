"""Inference requests, past the framework.

FastAPI's routing, dependencies and exit stacks take more than twice the time of everything else
that a one-row request needs. So the routes that carry the load are told by one regular expression
and answered here; all other requests, and wrong methods on these routes, go on to the application,
which knows these routes too and documents them.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from grokkeras.serving.answering import Server

_PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/([^/:]+))?:(predict|solve)"
    r"|/v2/models/([^/:]+)(?:/versions/([^/:]+))?/(infer)"
)


class Front:
    """ASGI middleware.

    Args:
        app: gets all that is no inference.
        server: answers inference.
    """

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            found = _PATH.fullmatch(scope["path"])
            if found is not None:
                name, version, route = found.groups()[:3] if found[3] else found.groups()[3:]
                response = await self._server.answer(scope, receive, route, name, version)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
