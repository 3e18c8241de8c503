"""Reads tests/vectors/numbers: each fact becomes one test named after it."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "vectors" / "numbers"


def facts(file: str, section: str) -> pytest.MarkDecorator:
    """Parametrise a test with `fact`, one dict of the section at a time."""
    rows: list[dict[str, Any]] = json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))[section]
    return pytest.mark.parametrize("fact", [pytest.param(row, id=row["name"]) for row in rows])


def values(file: str, section: str, key: str) -> list[str]:
    """Return one member of every fact of a section."""
    return [row[key] for row in json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))[section]]
