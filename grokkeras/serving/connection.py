"""A connection: uvicorn's, which leaves a request's head unlimited in size and in time.

Without these limits one client fills the memory with headers, and some thousand silent ones take
every connection that the server has.
"""

from __future__ import annotations

import asyncio

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# As much as the larger of the usual gateways lets through.
HEAD_BYTES = 65_536


class Connection(HttpToolsProtocol):
    """Ends with 431 where a head is too large, with 408 where it does not come."""

    head_seconds = 20.0
    _size = 0
    _in_head = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the clock: who says nothing is not waited for either."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what has come, unless that is too much of a head."""
        self._size += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._size > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", _TOO_LARGE)
        elif self._timer is None:
            self._start_timer()

    def on_message_begin(self) -> None:
        """A head begins, which need not be the first of what has just come."""
        super().on_message_begin()
        self._in_head = True
        self._size = 0

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._in_head:
            late = f"The request's headers had not arrived after {self.head_seconds:g} s."
            self._refuse(b"408 Request Timeout", late)
        else:
            self.transport.close()  # nothing was asked

    def _refuse(self, status: bytes, message: str) -> None:
        # An answer that is still being written may not be cut into.
        if self.cycle is None or self.cycle.response_complete:
            content = orjson.dumps({"error": message})
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b" % (status, len(content), content)
            )
        self.transport.close()


_TOO_LARGE = f"The request's address and headers are larger than {HEAD_BYTES:,} bytes."


def connection_class(head_seconds: float) -> type[Connection]:
    """The class of a server's connections, for uvicorn, which makes them itself.

    Args:
        head_seconds: a request's head must have arrived within this time.
    """
    return type("Connection", (Connection,), {"head_seconds": head_seconds})
