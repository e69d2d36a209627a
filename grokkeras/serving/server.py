"""Runs the application: uvicorn, signals, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn

from grokkeras.serving.app import make_app
from grokkeras.serving.connection import connection_class
from grokkeras.serving.front import Front
from grokkeras.serving.logs import log_to_stdout
from grokkeras.serving.settings import Settings

log = logging.getLogger("grokkeras.serving")


class _Uvicorn(uvicorn.Server):
    """Ends with exit code 0 on SIGTERM and SIGINT; uvicorn itself would die of the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Until the end, the two signals begin the drain."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number)
        yield

    def _leave(self, number: int) -> None:
        log.info("server_draining", extra={"signal": signal.Signals(number).name})
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except BaseException:
        listening.close()
        raise
    return listening


def serve(settings: Settings, listening: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT, then drains and returns.

    Args:
        settings: see `Settings`.
        listening: from `bind`.
    """
    log_to_stdout()
    app = make_app(settings)
    config = uvicorn.Config(
        Front(app, app.state.server),
        http=connection_class(settings.body_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
        limit_concurrency=settings.max_connections,
        backlog=2048,
    )
    host, port = listening.getsockname()[:2]
    log.info(
        "server_starting",
        extra={
            "host": host,
            "port": port,
            "engine": settings.engine,
            "models_dir": str(settings.models_dir),
        },
    )
    server = _Uvicorn(config)
    server.run(sockets=[listening])
    log.info("server_stopped")
