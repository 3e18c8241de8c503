"""Numbers in bulk: which of many are known, and the entry of those that are not, each in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from idservice import bulk
from idservice.db import table_of
from idservice.models import SubjectIndex

if TYPE_CHECKING:
    from idservice.call import Call

_index = table_of(SubjectIndex)
_ENTER = insert(_index)


class NumberTakenMeanwhile(Exception):
    """Somebody else entered one of the numbers between the question and the entry: the portion is done again."""


class Known(NamedTuple):
    """Who bears a number."""

    subject: str
    kind: str


class Numbered(Protocol):
    """A row with the hashes of its number, the active secret's first, and the subject it gets if it is new."""

    hashes: tuple[bytes, ...]
    subject: str


@dataclass(slots=True)
class Outcome:
    """What became of some rows; `rejects` are line and reasons, `subjects` those added or changed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)


def find_numbers(call: Call, rows: Sequence[Numbered]) -> dict[bytes, Known]:
    """Return who bears the numbers of `rows`, by the first hash of each row."""
    return find_hashes(call, [row.hashes for row in rows])


def find_hashes(call: Call, numbers: Iterable[tuple[bytes, ...]]) -> dict[bytes, Known]:
    """Return who bears numbers, each given by its hashes under all live secrets, by the first of them."""
    first = {value: hashes[0] for hashes in numbers for value in hashes}
    if not first:
        return {}
    columns = ("number_hash", "subject", "kind")
    found = bulk.select_where_in(call.connection, _index, columns, "number_hash", sorted(first))
    return {first[number_hash]: Known(subject, kind) for number_hash, subject, kind in found}


def enter_numbers(call: Call, rows: Sequence[Numbered], *, kind: str) -> None:
    """Enter numbers that were not known a moment ago.

    Raises:
        NumberTakenMeanwhile: one of them is known by now.
    """
    if not rows:
        return
    values = [{"number_hash": row.hashes[0], "subject": row.subject, "kind": kind} for row in rows]
    values.sort(key=lambda value: bytes(value["number_hash"]))  # type: ignore[arg-type]  # neighbours in the index
    try:
        call.session.connection().execute(_ENTER, values)
    except IntegrityError:
        raise NumberTakenMeanwhile from None
