"""Reads tests/vectors: a list of facts with names becomes one test each."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


def vector(file: str) -> Any:
    """Return the content of one vector file."""
    return json.loads((VECTORS / file).read_text(encoding="utf-8"))


def cases(rows: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """Parametrise a test with `case`, one named fact at a time."""
    return pytest.mark.parametrize("case", [pytest.param(row, id=row["name"]) for row in rows])
