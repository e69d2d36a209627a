"""Servers to test: the shipped model, models made by hand, and a process that serves them."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from helpers import REPO

SHIPPED = REPO / "saved_models"
NAME = "quickstart"
HEAVY = ("keras", "tensorflow", "jax", "torch")


def copy_version(target: Path, number: int, name: str = NAME) -> Path:
    """The shipped model as version `number` below `target`, published by a rename."""
    staged = target / f".copy-{number}"
    shutil.copytree(SHIPPED / NAME / "1", staged)
    final = target / name / str(number)
    final.parent.mkdir(parents=True, exist_ok=True)
    staged.rename(final)
    return final


def renew_manifest(version: Path) -> None:
    """A manifest that vouches for the files as they are."""
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["files"] = {
        path.relative_to(version).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(version.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    (version / "manifest.json").write_text(json.dumps(manifest))


def make_version(
    version: Path, table: np.ndarray, *, labels: list[Any] | None = None, features: bool = False
) -> Path:
    """A model made by hand: logits are `row @ table` for features, else the table's row a.

    Args:
        version: its folder.
        table: (tokens or features, classes) float32.
        labels: names of the classes.
        features: whether it takes features; else rows of two tokens.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    copied = shutil.copytree(SHIPPED / NAME / "1", version)
    count, classes = table.shape
    name = "features" if features else "tokens"
    weights = [numpy_helper.from_array(table.astype("float32"), "table")]
    if features:
        nodes = [helper.make_node("MatMul", [name, "table"], ["logits"])]
    else:
        weights.append(numpy_helper.from_array(np.array(0), "zero"))
        nodes = [
            helper.make_node("Gather", [name, "zero"], ["first"], axis=1),
            helper.make_node("Gather", ["table", "first"], ["logits"], axis=0),
        ]
    nodes += [
        helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["class"], to=TensorProto.INT32),
        helper.make_node("Softmax", ["logits"], ["shares"], axis=1),
        helper.make_node("ReduceMax", ["shares"], ["probability"], axes=[1], keepdims=0),
    ]
    kind = TensorProto.FLOAT if features else TensorProto.INT32
    graph = helper.make_graph(
        nodes,
        "made_by_hand",
        [helper.make_tensor_value_info(name, kind, ["n", count if features else 2])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes]),
            helper.make_tensor_value_info("class", TensorProto.INT32, ["n"]),
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    (copied / "assets.extra" / "model.onnx").write_bytes(model.SerializeToString())
    length = count if features else 2
    operands = [{"name": "x", "positions": list(range(length)), "names": None}]
    if not features:
        operands = [
            {"name": each, "positions": [place], "names": labels} for place, each in enumerate("ab")
        ]
    card = {
        "format": 1,
        "task": "by_hand",
        "title": "made by hand",
        "formula": "",
        "input": {
            "name": name,
            "datatype": "FP32" if features else "INT32",
            "length": length,
            "ranges": None if features else [[0, count], [0, count]],
        },
        "num_classes": classes,
        "labels": labels,
        "operands": operands,
        "row": [0] * length,
        "circle": None,
    }
    (copied / "assets.extra" / "grokkeras.json").write_text(json.dumps(card))
    renew_manifest(copied)
    return copied


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, the answer (from JSON where it is that) and its headers."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
            found = {key.lower(): value for key, value in response.getheaders()}
            if found.get("content-type") == "application/json":
                return response.status, json.loads(content), found
            return response.status, content, found
        finally:
            connection.close()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        return self.request("POST", path, body, headers)[:2]

    def get(self, path: str) -> tuple[int, Any]:
        return self.request("GET", path)[:2]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def serving(
    models: Path,
    log: Path,
    *options: str,
    command: tuple[str, ...] = (sys.executable, "-m", "grokkeras"),
    environ: dict[str, str] | None = None,
) -> Iterator[Served]:
    """A server in a process of its own, on a free port, ready when this returns."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "serve", str(models), "--port", "0", *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=REPO,
            env={**os.environ, **(environ or {})},
        )
    try:
        yield Served(process, _port(process, log), log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _port(process: subprocess.Popen[str], log: Path) -> int:
    """Reads the port off the log, and waits until the server answers there."""
    port = None
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(ValueError, IndexError, KeyError):
            port = json.loads(log.read_text().splitlines()[0])["port"]
        if port:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", "/v2/health/live")
                assert connection.getresponse().status == 200
                connection.close()
                return int(port)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(log.read_text())
