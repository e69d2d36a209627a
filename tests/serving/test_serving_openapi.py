"""Every route of the OpenAPI document, tried by schemathesis with what it allows and what not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from served import SHIPPED, serving

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,unsupported_method"
)


def test_every_route_answers_as_the_document_says(tmp_path):
    with serving(SHIPPED, tmp_path / "log") as server:
        done = subprocess.run(
            [Path(sys.executable).with_name("schemathesis"), "run", "--checks", CHECKS,
             "--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "1",
             "--generation-database", "none", "--no-color", f"{server.url}/openapi.json"],
            capture_output=True, text=True, cwd=tmp_path, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        # All routes of the document were tried: a filter that matches none also exits with 0.
        tested = re.search(r"Tested: (\d+)", done.stdout)
        assert tested, done.stdout[-3000:]
        assert int(tested[1]) >= 19
        assert not [line for line in server.lines() if line["event"] == "request_failed"]
