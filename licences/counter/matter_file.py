"""Matters as files (清单导入导出): one JSON file with one matter or a list, or a folder of such files.

A list is entered whole or not at all. What says the same as before changes nothing, so that an import may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from keys.strict_json import StrictJSONError, strict_json
from licences import enrol
from licences.counter import matters
from licences.counter.matter_definition import parse_matter
from licences.record_reader import DefinitionError

if TYPE_CHECKING:
    from pathlib import Path

    from idservice.call import Call
    from licences.counter.matter_definition import Matter

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_FILES: Final = 5000
NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


def read(path: Path) -> Iterator[tuple[str, Any]]:
    """Return every definition of a file or folder, not yet judged, with the name of its file.

    Raises:
        DefinitionError: a file that is no JSON or too large; too many files.
        OSError: nothing that can be read.
    """
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not 0 < len(paths) <= MAX_FILES:
        raise DefinitionError(f"{path.name} holds no *.json, or more than {MAX_FILES}")
    for one in paths:
        if one.stat().st_size > MAX_BYTES:
            raise DefinitionError(f"{one.name} has more than {MAX_BYTES} bytes")
        try:
            content = strict_json(one.read_bytes(), max_bytes=MAX_BYTES)
        except StrictJSONError as error:
            raise DefinitionError(f"{one.name} is no JSON: {error.code}") from None
        for item in content if isinstance(content, list) else [content]:
            yield one.name, item


def enter(call: Call, listed: Iterable[tuple[str, Any]]) -> list[tuple[Matter, str]]:
    """Enter matters and return each, in the version it has now, with what became of it: new, changed or unchanged.

    Raises:
        DefinitionError: one that is wrong, or a code that is listed twice; the message names the file.
    """
    types = matters.types_of(call)
    before = {matter.code: matter for matter in matters.every(call)}
    entered: dict[str, tuple[Matter, str]] = {}
    for place, data in listed:
        try:
            matter = parse_matter(data, types)
            version = enrol.put_matter(call, matter)
        except DefinitionError as error:
            raise DefinitionError(f"{place}: {error}") from None
        if matter.code in entered:
            raise DefinitionError(f"{place}: {matter.code} is listed twice")
        entered[matter.code] = (matter.entered_as(version), _fate(before.get(matter.code), version))
    return list(entered.values())


def _fate(before: Matter | None, version: int) -> str:
    if before is None:
        return NEW
    return UNCHANGED if before.version == version else CHANGED


def text(matter: Matter) -> str:
    """Return a matter as its file."""
    return json.dumps(matter.definition(), ensure_ascii=False, indent=2) + "\n"
