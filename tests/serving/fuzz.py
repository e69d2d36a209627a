"""Requests that are wrong in every way that came to mind, from a seed."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field

NAME = "quickstart"
_VALUES = [-1, 0, 96, 97, 98, 2**31, 2**63, 2**64, -(2**63), 1.5, 1e308, True, None, "1", "", [],
           {}, [[1]], "\u0000", "é" * 50]  # fmt: skip
_NAMES = [NAME, "nobody", "..%2f..%2fetc", "%00", "a" * 300, "", "%ff", "quick%20start"]
_KEYS = ["instances", "inputs", "signature_name", "tokens", "id", "outputs", "parameters", "x"]


def value(rng: random.Random, depth: int = 0):
    """Any JSON value."""
    kind = rng.random()
    if depth > 3 or kind < 0.5:
        return rng.choice(_VALUES)
    count = rng.randrange(4)
    if kind < 0.8:
        return [value(rng, depth + 1) for _ in range(count)]
    return {rng.choice(_KEYS): value(rng, depth + 1) for _ in range(count)}


def bad_request(rng: random.Random) -> bytes:
    """A whole HTTP request that is most likely wrong, with `Connection: close`."""
    name = rng.choice(_NAMES[:1] * 30 + _NAMES)
    version = rng.choice(
        [""] * 8 + ["/versions/1"] * 4 + ["/versions/99", "/versions/x", "/labels/y"]
    )
    usual, path = rng.choice(
        [
            ("POST", f"/v1/models/{name}{version}:predict"),
            ("POST", f"/v1/models/{name}{version}:solve"),
            ("POST", f"/v1/models/{name}{version}:nothing"),
            ("POST", f"/v2/models/{name}{version}/infer"),
            ("GET", f"/v1/models/{name}{version}/metadata"),
            ("GET", f"/v2/models/{name}{version}/ready"),
        ]
    )
    method = rng.choice([usual] * 30 + ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
    return request(method, path, _body(rng), rng)


def _body(rng: random.Random) -> bytes:
    kind = rng.random()
    rows = [[rng.randrange(97), rng.randrange(97), 97] for _ in range(rng.randrange(1, 6))]
    if kind < 0.25:  # one value of a sound request is wrong
        rng.choice(rows)[rng.randrange(3)] = rng.choice(_VALUES)
    elif kind < 0.35:  # ragged
        rng.choice(rows).append(1)
    if kind < 0.6:
        tensor = {"name": "tokens", "shape": [len(rows), 3], "datatype": "INT32", "data": rows}
        tensor[rng.choice(list(tensor))] = rng.choice([*_VALUES, rows])
        body = rng.choice([{"instances": rows}, {"inputs": rows}, {"inputs": [tensor]},
                           {"a": rows[0][0], "b": rows[0][1]}])  # fmt: skip
        if rng.random() < 0.3:
            body[rng.choice(_KEYS)] = value(rng)
    else:
        body = value(rng)
    content = json.dumps(body).encode()
    if kind > 0.8:  # torn, or with bytes turned
        content = bytearray(content)
        for _ in range(rng.randrange(1, 4)):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)
        content = bytes(content[: rng.randrange(len(content) + 1)])
    if kind > 0.97:
        content = rng.choice([b"[", b'{"a":']) * rng.randrange(1, 20_000)
    return content


def request(method: str, path: str, body: bytes, rng: random.Random | None = None) -> bytes:
    """A whole HTTP request."""
    extra = ""
    if rng is not None and rng.random() < 0.05:
        extra = f"Inference-Header-Content-Length: {rng.choice([0, 5, -1, 10**9, 'x'])}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Tally:
    """What came back."""

    statuses: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    good: int = 0


async def ask(port: int, data: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]) if head else 0, body


async def fuzz(port: int, count: int, workers: int = 16, seed: int = 0) -> Tally:
    """Sends `count` bad requests and as many good ones among them."""
    tally = Tally()

    async def work(rng: random.Random, requests: int) -> None:
        for _ in range(requests):
            bad = bad_request(rng)
            status, body = await ask(port, bad)
            tally.statuses[status] = tally.statuses.get(status, 0) + 1
            if not 200 <= status < 500:
                tally.wrong.append(f"{status} for {bad[:300]!r}")
            elif status >= 400 and body and b'{"error":"' not in body and status != 400:
                tally.wrong.append(f"{status} says {body[:100]!r} to {bad[:300]!r}")
            a, b = rng.randrange(97), rng.randrange(97)
            question = json.dumps({"a": a, "b": b}).encode()
            status, body = await ask(port, request("POST", f"/v1/models/{NAME}:solve", question))
            if status != 200 or json.loads(body)["answer"] != (a + b) % 97:
                tally.wrong.append(f"{status} {body[:100]!r} for {a} + {b}")
            else:
                tally.good += 1

    await asyncio.gather(
        *(work(random.Random(f"{seed}-{each}"), count // workers) for each in range(workers))
    )
    return tally
