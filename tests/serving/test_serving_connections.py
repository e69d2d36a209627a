"""Clients that stop, flood, or speak something else, and the server's end, over real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import pytest
from served import NAME, SHIPPED, serving

V1 = f"/v1/models/{NAME}"
ROW = [12, 95, 97]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    log = tmp_path_factory.mktemp("connections") / "log"
    with serving(SHIPPED, log, "--body-seconds", "0.5", "--max-body-mb", "1") as served:
        yield served


def rest_of(connection):
    """What comes until the server closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def raw(server, data, wait=10.0):
    """What comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as connection:
        connection.sendall(data)
        return rest_of(connection)


def test_a_body_that_never_ends_is_cut_off(server):
    head = f"POST {V1}:predict HTTP/1.1\r\nHost: x\r\n"
    slow = raw(server, f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert slow.startswith(b"HTTP/1.1 408")
    assert b"had not arrived after 0.5 s (1 bytes" in slow
    endless = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(endless)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        received = b""
        connection.settimeout(0.001)
        for _ in range(10_000):  # it ends long before: 1 MB is 16 chunks
            try:
                received += connection.recv(65536)
                break
            except TimeoutError:
                connection.settimeout(5)
                try:
                    connection.sendall(chunk)
                except OSError:
                    break
                connection.settimeout(0.001)
    assert received.startswith(b"HTTP/1.1 413") or not received
    assert server.get("/v2/health/ready") == (200, {"ready": True})


def test_bodies_that_come_in_part_may_not_take_all_memory(tmp_path):
    head = f"POST {V1}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode()
    options = ("--body-seconds", "4", "--max-body-mb", "1")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(SHIPPED, tmp_path / "log", *options))
        waiting = []
        for _ in range(20):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            waiting.append(stack.enter_context(one))
            with contextlib.suppress(ConnectionError):
                one.sendall(head + b" " * 900_000)
        assert server.post(f"{V1}:solve", {"a": 12, "b": 95})[1]["answer"] == 10
        answers = []
        for one in waiting:
            with contextlib.suppress(ConnectionError):
                answers.append(rest_of(one)[:13])
        assert server.post(f"{V1}:solve", {"a": 12, "b": 95})[1]["answer"] == 10
    # 8 bodies of 1 MB at most at once; those that were let in never end.
    assert set(answers) <= {b"HTTP/1.1 503 ", b"HTTP/1.1 408 "}
    assert answers.count(b"HTTP/1.1 408 ") <= 10


@pytest.mark.parametrize("flood", [b"a" * 70_000, b"X: y\r\n" * 12_000, b"Y: " + b"z" * 70_000])
def test_a_head_that_is_too_large_is_cut_off(server, flood):
    start = b"GET /" if flood.startswith(b"a") else b"GET /v2 HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(start)
        time.sleep(0.05)  # what comes with the first bytes of a head is not counted
        received = b""
        with contextlib.suppress(ConnectionError):
            for place in range(0, len(flood), 5_000):
                connection.sendall(flood[place : place + 5_000])
            received = rest_of(connection)
    assert not received or received.startswith(b"HTTP/1.1 431 ")
    assert server.get("/v2/health/ready") == (200, {"ready": True})


def test_who_says_nothing_or_stops_within_a_head_is_not_waited_for(server):
    began = time.monotonic()
    assert raw(server, b"") == b""
    answer = raw(server, f"GET {V1} HTTP/1.1\r\nHo".encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"headers had not arrived after 0.5 s" in answer
    second = f"GET {V1} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answer = raw(server, second + second[:20])  # a sound request first, on the same connection
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer
    assert 1.4 < time.monotonic() - began < 8


def read_answer(connection):
    """One whole answer of the server about itself."""
    received = b""
    while not received.endswith(b"]}"):
        received += connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 200 ")


GET = b"GET /v2 HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (GET + b"\r\n", b"\r\n"),
        (GET + b"Content-Length: 10\r\n\r\n", b"y"),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\nX: y\r\n"),
    ],
    ids=["a line", "a part of a body", "a trailer"],
)
def test_who_says_a_little_after_the_answer_is_not_waited_for(server, first, later):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(first)
        read_answer(connection)
        connection.sendall(later)
        assert rest_of(connection) == b""


def test_a_body_that_comes_whole_after_the_answer_keeps_the_connection(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(GET + b"Content-Length: 10\r\n\r\n")
        read_answer(connection)
        connection.sendall(b"yyyyy")
        time.sleep(0.2)
        connection.sendall(b"yyyyy")
        time.sleep(0.8)  # longer than a head may take
        connection.sendall(GET + b"\r\n")
        read_answer(connection)


def test_trailers_that_never_end_are_cut_off(server):
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(GET + b"Transfer-Encoding: chunked\r\n\r\n")
        read_answer(connection)
        connection.sendall(b"0\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"X: " + b"y" * 5_000 + b"\r\n")
            received = rest_of(connection)
    assert not received or received.startswith(b"HTTP/1.1 431 ")
    assert server.get("/v2/health/ready") == (200, {"ready": True})


def test_an_answer_that_nobody_reads_is_dropped(server):
    body = json.dumps({"instances": [ROW] * 8_000}).encode()
    head = f"POST {V1}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(head.encode() + body)
        time.sleep(4)  # more than three times what a head may take
        received = b""
        with contextlib.suppress(ConnectionError):
            received = rest_of(connection)
    assert len(received) < 5_000_000
    assert not received.endswith(b"}")
    assert server.get("/v2/health/ready") == (200, {"ready": True})


def test_a_large_head_in_the_same_bytes_as_a_body_is_not_counted_with_it(server):
    body = b" " * 200_000 + json.dumps({"a": 12, "b": 95}).encode()
    head = f"POST {V1}:solve HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    one = f"{head}\r\n".encode() + body
    last = f"{head}X: {'y' * 50_000}\r\nConnection: close\r\n\r\n".encode() + body
    assert raw(server, one + one + last).count(b'{"answer":10,') == 3


def test_what_is_no_http_is_answered_and_harms_nobody(server):
    assert raw(server, b"\x16\x03\x01\x02\x00garbage\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert server.get("/v2/health/live") == (200, {"live": True})


def test_sigterm_drains_and_exits_0(tmp_path):
    with serving(SHIPPED, tmp_path / "log", "--body-seconds", "10") as server:
        head = f"POST {V1}:solve HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f'{head}{{"a": 12, '.encode())
            assert server.get("/v2/health/ready")[0] == 200
            began = time.monotonic()
            server.process.terminate()
            while "server_draining" not in server.log.read_text():
                assert time.monotonic() < began + 10
            connection.sendall(b'"b": 95}')  # the request under way gets its answer
            assert b'"answer":10' in rest_of(connection)
        assert server.process.wait(timeout=30) == 0
        assert time.monotonic() - began < 5
        events = [line["event"] for line in server.lines()]
        assert events[-2:] == ["server_draining", "server_stopped"]
        assert all({"time", "level", "event"} <= set(line) for line in server.lines())


def test_a_request_that_never_comes_whole_does_not_hold_up_the_end(tmp_path):
    with serving(SHIPPED, tmp_path / "log") as server:
        head = f"POST {V1}:solve HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head.encode())
            assert server.get("/v2/health/ready")[0] == 200
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 5
            answer = rest_of(connection)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b'{"error":"The server is stopping' in answer
