"""Numbers in bulk: which of many are known, and the entry of those that are not, each in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy.exc import IntegrityError

from idservice import bulk
from idservice.db import table_of
from idservice.models import SubjectIndex

if TYPE_CHECKING:
    from idservice.call import Call

_index = table_of(SubjectIndex)


class NumberTakenMeanwhile(Exception):
    """Somebody else entered one of the numbers between the question and the entry: the portion is done again."""


class Known(NamedTuple):
    """Who bears a number."""

    subject: str
    kind: str


class Numbered(Protocol):
    """A row that names somebody by a number."""

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Return the hashes of the number, the active secret's first."""

    @property
    def subject(self) -> str:
        """Return the subject that the number gets if it is new."""


@dataclass(slots=True)
class Outcome:
    """What became of some rows; `rejects` are line and reasons, `subjects` those added or changed.

    `old_phones` are the telephones, by subject, of those who have another now.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    old_phones: dict[str, str] = field(default_factory=dict)


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
    values = sorted((row.hashes[0], row.subject, kind) for row in rows)  # neighbours in the index
    try:
        bulk.insert(call.connection, _index, ("number_hash", "subject", "kind"), values)
    except IntegrityError:
        raise NumberTakenMeanwhile from None
