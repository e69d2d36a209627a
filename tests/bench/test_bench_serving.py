"""`bench serving`, briefly: real servers, a real load, and what the tables say of it."""

from __future__ import annotations

import asyncio
import json

import pytest
from rich.console import Console

from grokkeras.bench import serving as bench
from grokkeras.bench.load import load, quantile
from grokkeras.bench.servers import OURS, PLAIN
from grokkeras.errors import GrokkerasError


def row(server, name, **figures):
    return {"server": server, "load": name, "p99_ms": 5.0, "ready_seconds": 0.5} | figures


def test_both_servers_are_measured_and_held_against_the_targets(monkeypatch, capsys):
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)  # no TensorFlow row
    found = bench.bench_serving(Console(width=120), repeats=1, seconds=0.2)
    json.dumps(found)
    names = [(each["server"], each["load"]) for each in found["rows"]]
    assert names == [(OURS.name, each.name) for each in bench.LOADS[OURS]] + [
        (PLAIN.name, bench.ONE.name)
    ]
    for each in found["rows"]:
        assert each["requests_per_second"] > 50
        assert 0 < each["p50_ms"] <= each["p99_ms"]
        assert each["memory_mb"] > 20
    many = found["rows"][1]
    assert many["rows_per_second"] == pytest.approx(64 * many["requests_per_second"])
    said = capsys.readouterr().out
    assert "plain server" in said
    assert "64 rows, class alone" in said


def test_targets_tell_what_is_met():
    rows = [
        row(OURS.name, bench.ONE.name, requests_per_second=6_000, memory_mb=130),
        row(OURS.name, bench.MANY.name, rows_per_second=99_999),
        row(PLAIN.name, bench.ONE.name, requests_per_second=2_000),
    ]
    met = {target.name: target.met for target in bench.targets_of(rows)}
    assert met == {
        "requests a second, 1 row": True,
        "p99 of them, ms": True,
        "times as many as the plain server": True,
        "rows a second, 64 rows, class alone": False,
        "ready within, s": True,
        "memory, MB": False,
    }


def test_every_figure_is_whole_on_80_columns():
    """With figures larger than any measured, on the longest names."""
    figures = {
        "requests_per_second": 98_765.4, "rows_per_second": 987_654.3, "p50_ms": 123.4,
        "p99_ms": 567.8, "ready_seconds": 12.34, "memory_mb": 1_234.0,
    }  # fmt: skip
    rows = [
        {"server": kind.name, "load": each.name} | figures
        for kind, loads in bench.LOADS.items()
        for each in loads
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(bench._rows_table(rows, 3, 10.0))
    lines = captured.get().splitlines()
    figures_line = ["98,765", "987,654", "123.4", "567.8", "12.34", "1234"]
    assert [line.split()[-6:] for line in lines if "987,654" in line] == [figures_line] * len(rows)
    assert "…" not in captured.get()
    for name in {name for each in rows for name in (each["server"], each["load"])}:
        assert name in " ".join(captured.get().split()), name


def test_a_server_that_fails_requests_is_no_fast_server():
    async def main():
        async def refuse(reader, writer):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nno")

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        request = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
        found = await load("127.0.0.1", port, [request], 2, 0.2)
        server.close()
        assert found["failed"] == found["requests"] > 0

    asyncio.run(main())


def test_quantiles():
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0


def test_a_server_that_does_not_start_is_said(tmp_path):
    with pytest.raises(GrokkerasError, match="plain server does not start"):
        bench.RunningServer(PLAIN, tmp_path)
