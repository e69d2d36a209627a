"""The generated pages in `docs/` are those that `make docs` would write now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def load_generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "bad_input.md"])
def test_the_page_is_up_to_date(name: str) -> None:
    page = load_generator().PAGES[name]()
    assert (DOCS / name).read_text(encoding="utf-8") == page, "run `make docs`"
