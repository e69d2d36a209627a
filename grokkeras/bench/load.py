"""A load generator, in a process of its own: a JSON line in, one out.

    python -m grokkeras.bench.load

So many connections, each of which sends its next request when its last is answered. Requests are
made beforehand, answers only looked at for their status and, for a sample, their content, so that
it takes as little as it can of the machine it shares with the server.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from array import array
from typing import Any


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[bytes], first: int, until: float, seconds: array[float]):
        self._requests = requests
        self._next = first
        self._until = until
        self._seconds = seconds
        self._sent = 0.0
        self._buffer = b""
        self.failed = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Sends the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._next = (self._next + 1) % len(self._requests)
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next])

    def data_received(self, data: bytes) -> None:
        """Takes in a part of an answer, usually all of it."""
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = buffer
            return
        start = buffer.find(b"content-length: ", 0, end) + 16
        length = int(buffer[start : buffer.find(b"\r\n", start, end + 2)])
        if len(buffer) < end + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        now = time.perf_counter()
        self._seconds.append(now - self._sent)
        if not buffer.startswith(b"HTTP/1.1 200"):
            self.failed += 1
        if now >= self._until:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Ends, as a failure where an answer was still to come."""
        if time.perf_counter() < self._until:
            self.failed += 1
        if not self.done.done():
            self.done.set_result(None)


async def load(
    host: str, port: int, requests: list[bytes], clients: int, seconds: float
) -> dict[str, Any]:
    """Sends requests for some seconds.

    Args:
        host, port: where the server is.
        requests: whole HTTP requests, sent in turns.
        clients: connections.
        seconds: how long.

    Returns:
        `requests` answered, `failed` among them, `seconds`, and the latencies `p50_ms`, `p99_ms`
        and `max_ms`.
    """
    loop = asyncio.get_running_loop()
    latencies: array[float] = array("d")
    began = time.perf_counter()
    until = began + seconds
    made = [
        _Client(requests, 7919 * place % len(requests), until, latencies)
        for place in range(clients)
    ]
    waiting = iter(made)
    for _ in range(clients):
        await loop.create_connection(waiting.__next__, host, port)
    await asyncio.gather(*(client.done for client in made))
    took = time.perf_counter() - began
    ordered = sorted(latencies)
    return {
        "requests": len(ordered),
        "failed": sum(client.failed for client in made),
        "seconds": took,
        "p50_ms": 1000 * quantile(ordered, 0.5),
        "p99_ms": 1000 * quantile(ordered, 0.99),
        "max_ms": 1000 * ordered[-1] if ordered else math.nan,
    }


def quantile(ordered: list[float], share: float) -> float:
    """The least of `ordered` that at least `share` of them do not exceed; NaN of none."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else math.nan


def http_request(path: str, body: bytes) -> bytes:
    """A whole POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Reads one JSON object, loads, writes one."""
    import uvloop

    order = json.loads(sys.stdin.readline())
    requests = [http_request(order["path"], body.encode()) for body in order["bodies"]]
    found = uvloop.run(
        load(order["host"], order["port"], requests, order["clients"], order["seconds"])
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
