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


class CutOffError(RequestError):
    """The rest of the body is not waited for: the connection ends with the answer."""


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], max_bytes: int, seconds: float
) -> bytes:
    """The whole body.

    Args:
        receive: ASGI's.
        headers: of the request, names in lower case.
        max_bytes: more is refused, at once where the headers tell.
        seconds: a body that takes longer is refused.

    Raises:
        RequestError: too large, too slow, or compressed.
    """
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity":
        raise RequestError(
            f"Content-Encoding: expected a body that is not compressed, received "
            f"{shown(encoding.decode('latin-1'))}.",
            415,
        )
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and len(announced) < 20 and int(announced) > max_bytes:
        kind = RequestError if int(announced) <= _PATIENT_BYTES else CutOffError
        raise kind(_too_large(max_bytes), 413)
    parts = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise CutOffError("The client closed the connection.")
                part = message.get("body", b"")
                size += len(part)
                if size > max_bytes:
                    raise CutOffError(_too_large(max_bytes), 413)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise CutOffError(
            f"The body had not arrived after {seconds:g} s ({size:,} bytes of it had).", 408
        ) from None


def _too_large(max_bytes: int) -> str:
    return f"The body is larger than {max_bytes:,} bytes. Send fewer rows."


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
