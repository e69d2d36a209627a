"""A connection: uvicorn's, with limits on what a client may make the server hold, and how long.

uvicorn leaves a request's head unlimited in size and in time, waits for ever for who sends a byte
after an answer, and keeps answers that nobody reads. One client could fill the memory, and some
thousand silent ones take every connection that the server has.
"""

from __future__ import annotations

import asyncio

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# As much as the larger of the usual gateways lets through.
HEAD_BYTES = 65_536
# Of all connections together, in answers that are not read.
UNREAD_BYTES = 128 * 2**20


class Connection(HttpToolsProtocol):
    """Ends with 431 where a head is too large, with 408 where it does not come.

    An answer that is not read within three times as long is dropped with the connection.
    """

    head_seconds = 20.0
    _size = 0
    _in_head = False
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the clock: who says nothing is not waited for either."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clocks."""
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what has come, unless that is too much of a head, or of trailers."""
        self._size += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._size > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", _TOO_LARGE)
        elif self._timer is None and (self._in_head or self._answered_and_not_idle()):
            self._start_timer()

    def on_message_begin(self) -> None:
        """A head begins, which need not be the first of what has just come."""
        super().on_message_begin()
        self._in_head = True
        self._size = 0

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._size = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body, for which there are other limits."""
        self._size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A whole request; where the answer did not wait for its end, the connection is idle."""
        super().on_message_complete()
        self._size = 0
        if self.cycle.response_complete and self.cycle.keep_alive:
            self._stop_timer()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        """More of an answer than the system takes at once: the client has to read."""
        super().pause_writing()
        held = sum(each.transport.get_write_buffer_size() for each in self.connections)
        if held > UNREAD_BYTES:
            self.transport.abort()
        elif self._unread is None:
            self._unread = self.loop.call_later(3 * self.head_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _answered_and_not_idle(self) -> bool:
        """Whether bytes came after an answer, which stops uvicorn's clock for idle connections."""
        answered = self.cycle is not None and self.cycle.response_complete
        return answered and self.timeout_keep_alive_task is None

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
