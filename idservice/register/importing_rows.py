"""The lines of a file that is brought into a register: CSV (RFC 4180, one row a line) or JSON lines.

Each line stands alone, so that a bad one costs nothing but itself: it is either the values of one row or a list of
reasons from a closed list.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from idservice.numbers.plain import is_plain

LONGEST_LINE = 64 * 1024
LONGEST_NAME = 128


class Form(StrEnum):
    """How a file writes its rows."""

    CSV = "csv"
    JSONL = "jsonl"


class RowRefused(ValueError):
    """A line that is no row of its register; `reasons` are stable codes."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class HeaderRefused(ValueError):
    """The first line of a CSV file does not name the columns of its register; the message says which."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a file as they are, with the number of the first."""

    first: int
    raw: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Return how many bytes they are."""
        return sum(map(len, self.raw))


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one file are read: their form, their encoding and, of CSV, the member each column stands for."""

    form: Form
    encoding: str
    members: Mapping[str, str]
    columns: tuple[str, ...] = ()

    def values(self, line: bytes) -> dict[str, str]:
        """Return the values of one line by member, those left empty left out; raises `RowRefused`."""
        if len(line) > LONGEST_LINE:
            raise RowRefused("too_long")
        try:
            text = line.decode(self.encoding).rstrip("\r\n")
        except UnicodeDecodeError:
            raise RowRefused("encoding") from None
        return self._of_csv(text) if self.form is Form.CSV else self._of_json(text)

    def _of_csv(self, text: str) -> dict[str, str]:
        cells = _cells(text)
        if len(cells) != len(self.columns):
            raise RowRefused("columns")
        return {
            name: cell.strip() for name, cell in zip(self.columns, cells, strict=True) if cell and not cell.isspace()
        }

    def _of_json(self, text: str) -> dict[str, str]:
        try:
            found = _decode(text)
        except (ValueError, RecursionError):
            raise RowRefused("json") from None
        if not isinstance(found, dict):
            raise RowRefused("json")
        values: dict[str, str] = {}
        members = self.members
        for name, value in found.items():
            member = members.get(name)
            if member is None or member in values:
                raise RowRefused("columns")
            if value is None or value == "":
                continue
            if type(value) is not str and type(value) is not int:  # true and false are neither
                raise RowRefused("json")
            values[member] = str(value).strip()
        return values


def header(line: bytes, encoding: str, members: Mapping[str, str], needed: frozenset[str]) -> tuple[str, ...]:
    """Return the member that each column of a CSV file stands for.

    Raises:
        HeaderRefused: a column is unknown, named twice or missing.
    """
    try:
        names = [name.strip() for name in _cells(line.decode(encoding).removeprefix("\ufeff").rstrip("\r\n"))]
    except (UnicodeDecodeError, RowRefused):
        raise HeaderRefused("the first line does not name the columns, or is in another encoding") from None
    if unknown := [name for name in names if name not in members]:
        raise HeaderRefused(f"unknown columns: {', '.join(unknown)[:200]}; known: {', '.join(members)}")
    columns = tuple(members[name] for name in names)
    if len(set(columns)) != len(columns) or not needed <= set(columns):
        raise HeaderRefused(f"each column once, and these are needed: {', '.join(sorted(needed))}")
    return columns


def read(stream: BinaryIO, *, at_once: int, first: int = 1) -> Iterator[Lines]:
    """Read a file in portions of whole lines; of a line that is too long only the beginning is kept."""
    while True:
        portion: list[bytes] = []
        while len(portion) < at_once and (line := _line(stream)):
            portion.append(line)
        if not portion:
            return
        yield Lines(first, tuple(portion))
        first += len(portion)


def name_of(values: Mapping[str, str]) -> str | None:
    """Return the name of a row, or None where it has none that could be shown."""
    name = values.get("name", "")
    return name if name and len(name) <= LONGEST_NAME and is_plain(name) else None


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LONGEST_LINE + 1)
    rest = line
    while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
        rest = stream.readline(LONGEST_LINE + 1)
    return line


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader((text,), strict=True), [])
    except csv.Error:
        raise RowRefused("csv") from None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


_decode = json.JSONDecoder(object_pairs_hook=_once).decode  # made once: it costs more to make than a row to read
