"""Reads a request's body within limits of size and time, and its JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from grokkeras.serving.errors import RequestError, shown

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


# A body that says it is no larger than this may finish after its refusal. Closed at once, most
# clients would report a broken pipe and never read why. Nothing of it is kept.
_PATIENT_BYTES = 256 * 2**20
# Slow clients, each with a body that stops short of its end, may not take all memory.
_BODIES_AT_ONCE = 8


class CutOffError(RequestError):
    """The rest of the body is not waited for: the connection ends with the answer."""


class BodyReader:
    """Reads the bodies of one server's requests.

    Args:
        max_bytes: a body that is larger is refused, at once where the headers tell. Of bodies that
            have come in part, the server holds no more than `_BODIES_AT_ONCE` times as much.
        seconds: a body that takes longer is refused.
    """

    def __init__(self, max_bytes: int, seconds: float) -> None:
        self.max_bytes = max_bytes
        self.seconds = seconds
        self._held = 0  # bytes of the bodies that have come in part

    async def read(self, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        """The whole body.

        Args:
            receive: ASGI's.
            headers: of the request, names in lower case.

        Raises:
            RequestError: too large, too slow, compressed, or one of too many.
        """
        self._check(headers)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise CutOffError("The client closed the connection.")
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self.max_bytes:
                        raise CutOffError(self._too_large(), 413)
                    parts.append(part)
                    self._held += len(part)
                    if not message.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
                    if self._held > _BODIES_AT_ONCE * self.max_bytes:
                        raise CutOffError(
                            f"The server is busy: bodies of {self._held:,} bytes have come in "
                            f"part. Try again in a moment.",
                            503,
                        )
        except TimeoutError:
            raise CutOffError(
                f"The body had not arrived after {self.seconds:g} s ({size:,} bytes of it had).",
                408,
            ) from None
        finally:
            self._held -= sum(map(len, parts))

    def _check(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuses what the headers give away."""
        encoding = headers.get(b"content-encoding", b"identity")
        if encoding.lower() != b"identity":
            raise RequestError(
                f"Content-Encoding: expected a body that is not compressed, received "
                f"{shown(encoding.decode('latin-1'))}.",
                415,
            )
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and len(announced) < 20 and int(announced) > self.max_bytes:
            kind = RequestError if int(announced) <= _PATIENT_BYTES else CutOffError
            raise kind(self._too_large(), 413)

    def _too_large(self) -> str:
        return f"The body is larger than {self.max_bytes:,} bytes. Send fewer rows."


def parse_object(body: bytes | memoryview) -> dict[str, Any]:
    """The body's JSON object.

    Raises:
        RequestError: it is no JSON, or no object.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise RequestError(f"Expected a JSON object, received {shown(value)}.")
    return value
