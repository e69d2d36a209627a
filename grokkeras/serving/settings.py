"""How the server is set up. Flags of `grokkeras serve`, else variables of the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ENGINES = ("onnx", "tensorflow")


@dataclass(frozen=True)
class Settings:
    """What a server is told to do.

    Attributes:
        models_dir: holds NAME/VERSION folders.
        model_name: the only model to serve; None serves all in `models_dir`.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        engine: of `ENGINES`.
        keep_versions: how many versions of a model are served, the newest.
        poll_seconds: how often the folder is looked through for new versions.
        max_body_bytes: a longer body is refused with 413.
        max_rows: a request with more rows is refused.
        max_queued_rows: rows that may wait for their inference; beyond it 503 at once.
        max_batch_rows: rows in one inference.
        body_seconds: a request's headers, and then its body, must have arrived within this time,
            else 408.
        max_connections: beyond it a connection gets 503.
        drain_seconds: what SIGTERM gives the requests that are under way.
        access_log: log every request, not only those that fail within the server.
    """

    models_dir: Path
    model_name: str | None = None
    host: str = "127.0.0.1"
    port: int = 8501
    engine: str = "onnx"
    keep_versions: int = 2
    poll_seconds: float = 2.0
    max_body_bytes: int = 16 * 2**20
    max_rows: int = 10_000
    max_queued_rows: int = 65_536
    max_batch_rows: int = 4_096
    body_seconds: float = 20.0
    max_connections: int = 2_000
    drain_seconds: float = 3.0
    access_log: bool = False
