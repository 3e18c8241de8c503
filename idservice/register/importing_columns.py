"""Many lines at once (成批读取): lines that have the same members are one table, whose columns are looked at as wholes.

A column has few different values, or is checked by one call for all of it, where a row would be many small questions.
Whatever is not plainly good here is nobody's yet: the line is read again alone (`Layout.values`), and judged and
explained there. So this may only take what that would take, and makes the same of it.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from idservice.register.importing_rows import LONGEST_LINE, Form

if TYPE_CHECKING:
    from idservice.register.importing_rows import Layout, Lines

_Cells: TypeAlias = Sequence[Any]
_Shape: TypeAlias = tuple[tuple[str, ...], bool]  # the names in a row, and whether all that stands under them is text


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same members: the lines they stand on, and the values of each member.

    Values are texts, stripped and not empty, until somebody makes more of them.
    """

    lines: tuple[int, ...]
    columns: dict[str, Sequence[Any]]

    def rows(self, places: Sequence[int]) -> Table:
        """Return a table of some of the rows."""
        return Table(
            tuple(map(self.lines.__getitem__, places)),
            {name: [*map(column.__getitem__, places)] for name, column in self.columns.items()},
        )

    def parts(self, key: Iterable[object]) -> list[Table]:
        """Return the rows of each value of `key`, which has one for every row, in tables of their own."""
        found: dict[object, list[int]] = {}
        for place, value in enumerate(key):
            found.setdefault(value, []).append(place)
        return [self] if len(found) == 1 else [self.rows(places) for places in found.values()]

    def without(self, places: Iterable[int]) -> tuple[Table, list[int]]:
        """Return the table without the rows at `places`, and the lines of these."""
        out = set(places)
        if not out:
            return self, []
        kept = [place for place in range(len(self.lines)) if place not in out]
        return self.rows(kept), [self.lines[place] for place in sorted(out)]


def tables(layout: Layout, lines: Lines) -> tuple[list[Table], list[int]]:
    """Return the rows that are plainly well-formed, and the numbers of all other lines in order, blank ones too."""
    is_csv, is_utf8 = layout.form is Form.CSV, layout.encoding == "utf-8"
    read = partial(_read_csv, layout.columns) if is_csv else partial(_read_json, layout.members)
    shapes: dict[_Shape, tuple[list[int], list[_Cells]]] = {}
    left: list[int] = []
    for number, line in enumerate(lines.raw, lines.first):
        found = read(line if is_utf8 else _in_utf8(line, layout.encoding)) if len(line) <= LONGEST_LINE else None
        if found is None or (number == 1 and (is_csv or line.startswith(BOM_UTF8))):
            left.append(number)
            continue
        shape, cells = found
        numbers, rows = shapes.setdefault(shape, ([], []))
        numbers.append(number)
        rows.append(cells)
    made: list[Table] = []
    for shape, (numbers, rows) in shapes.items():
        table, odd = _table(layout, shape, numbers, rows)
        made += [table] if table.lines else []
        left += odd
    return made, sorted(left)


def _table(layout: Layout, shape: _Shape, numbers: list[int], rows: list[_Cells]) -> tuple[Table, list[int]]:
    names, all_text = shape
    members = names if layout.form is Form.CSV else [layout.members.get(name) for name in names]
    if None in members or len(set(members)) < len(members):
        return Table((), {}), numbers
    columns: dict[str, Sequence[str]] = {}
    odd: set[int] = set()
    for member, column in zip(members, zip(*rows, strict=True), strict=True):
        kinds = set(map(type, column))
        if kinds == {int} and not all_text:
            texts = [*map(str, column)]
        elif kinds == {str}:
            texts = [*map(str.strip, column)]
        else:
            texts = [value.strip() if type(value) is str else "" for value in column]
        columns[str(member)] = texts
        if "" in texts:
            odd.update(place for place, text in enumerate(texts) if not text)
    return Table(tuple(numbers), columns).without(odd)


def _read_json(members: Mapping[str, str], line: bytes) -> tuple[_Shape, _Cells] | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(found) is not dict or not found:
        return None
    # Two quotation marks for each name and each text: where there are more, a member may be there twice, of which
    # orjson keeps the last. That all are texts is seen at the columns.
    marks = line.count(b'"')
    all_text = marks == 4 * len(found)
    if not all_text and marks != 2 * (len(found) + sum(type(value) is str for value in found.values())):
        return None
    if b'""' in line or b"null" in line:
        kept = {name: value for name, value in found.items() if value is not None and value != ""}
        if all_text and None in found.values():
            return None
        if not kept or len({members.get(name, "") for name in found} - {""}) < len(found):
            return None
        found = kept
    return (tuple(found), all_text), [*found.values()]


def _read_csv(columns: tuple[str, ...], line: bytes) -> tuple[_Shape, _Cells] | None:
    """Split a line in which nothing is quoted; all others are for the csv module."""
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return None
    cells = text.split(",")
    if len(cells) != len(columns) or '"' in text or "\r" in text or "\0" in text:
        return None
    if "" not in cells:
        return (columns, True), cells
    kept = [place for place, cell in enumerate(cells) if cell]
    return ((tuple(columns[place] for place in kept), True), [cells[place] for place in kept]) if kept else None


def _in_utf8(line: bytes, encoding: str) -> bytes:
    try:
        return line.decode(encoding).encode()
    except UnicodeError:
        return b""  # which is read by no form
