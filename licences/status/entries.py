"""Places in the status lists (状态列表): each copy of a licence has one of its own, and all follow the licence.

draft-ietf-oauth-status-list, section 13.2: a place is drawn at random, so that neighbouring numbers tell nothing about
when or for whom copies were made. What stands at a place is changed in the transaction that changes the licence; the
lists that are handed out are made from these rows by `licences.status.publish`.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idservice.db import add_if_new, table_of
from idservice.errors import Problem
from idservice.ids import timed_id
from licences.lifecycle import TERMINAL, State
from licences.models import Licence
from licences.status.edition import PATH, uri_of
from licences.status.models import StatusChange, StatusEntry, StatusList
from licences.status.token_list import SIZE, Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.call import Call

#: After so many places that were taken a new list is opened: on average at some two fifths of 2**20.
TRIES: Final = 12

_entries, _lists, _changes = table_of(StatusEntry), table_of(StatusList), table_of(StatusChange)
_NEWEST = select(func.coalesce(func.max(_lists.c.list_number), 0))
_ROW = {
    "place": _NEWEST.scalar_subquery() * SIZE + bindparam("index"),
    "licence_key": bindparam("key"),
    "form": bindparam("form"),
    "value": bindparam("status"),
}
_INSERT = {
    "sqlite": sqlite.insert(_entries).values(_ROW).on_conflict_do_nothing().returning(_entries.c.place),
    "postgresql": postgresql.insert(_entries).values(_ROW).on_conflict_do_nothing().returning(_entries.c.place),
}
_FOLLOW = (
    update(_entries)
    .where(_entries.c.licence_key == bindparam("key"), _entries.c.value != bindparam("status"))
    .values(value=bindparam("status"))
    .returning(_entries.c.place)
)
_END = (
    update(_entries)
    .where(_entries.c.place.in_(bindparam("places", expanding=True)), _entries.c.licence_key != bytes(16))
    .values(value=int(Status.INVALID), licence_key=bytes(16))
    .returning(_entries.c.place)
)
_NOTE = insert(_changes)
_licences = table_of(Licence).c
_STATE = (
    select(_licences.state)
    .where(_licences.subject == bindparam("subject"), _licences.identifier == bindparam("code"))
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class StatusRef:
    """Where a copy's status is to be read: the list's address and the place in it (0 to 2**20 - 1)."""

    uri: str
    index: int

    def claim(self) -> dict[str, dict[str, int | str]]:
        """Return the value of the claim `status` (section 6.1)."""
        return {"status_list": {"idx": self.index, "uri": self.uri}}


def allocate(call: Call, licence: Licence, *, form: str) -> StatusRef:
    """Return the place of a new copy of `licence` in the artefact `form`; every call makes another one.

    It needs a writing transaction. The licence is held fast meanwhile: a change that comes at the same time finds the
    new place too.

    Raises:
        Problem: not_found, where the licence is gone.
    """
    return reference(call, allocate_place(call, licence, form=form))


def allocate_place(call: Call, licence: Licence, *, form: str) -> int:
    """Do what `allocate` does and return the place alone: list number * 2**20 + index."""
    state = call.connection.execute(_STATE, {"subject": licence.subject, "code": licence.identifier}).scalar()
    if state is None:
        raise Problem("not_found", "The register holds no such licence.")
    return take(call, licence.identifier, State(state), form=form)


def take(call: Call, identifier: str, state: State, *, form: str) -> int:
    """Take a free place in the newest list for a licence that this transaction issues, or holds fast; return it."""
    status, key = status_of(state), key_of(identifier)
    while True:
        for _ in range(TRIES):
            row = {"index": secrets.randbelow(SIZE), "key": key, "form": form, "status": int(status)}
            place: int | None = call.connection.execute(_INSERT[call.connection.dialect.name], row).scalar()
            if place is not None:
                if status is not Status.VALID:
                    _note(call, [place], status)
                return place
        _open_list(call)


def follow(call: Call, identifier: str, state: State) -> None:
    """Let every copy of a licence say what the licence is now, in the transaction that changed it."""
    status = status_of(state)
    moved = call.connection.execute(_FOLLOW, {"key": key_of(identifier), "status": int(status)}).scalars().all()
    if moved:
        _note(call, list(moved), status)


def end(call: Call, places: Collection[int]) -> None:
    """Let copies be over for good whatever becomes of their licence: their places follow it no more."""
    ended = call.connection.execute(_END, {"places": list(places)}).scalars().all()
    if ended:
        _note(call, list(ended), Status.INVALID)


def reference(call: Call, place: int) -> StatusRef:
    """Return what a copy says about a place."""
    number, index = divmod(place, SIZE)
    return StatusRef(uri_of(call.settings.signs_as, number), index)


def place_of(call: Call, status: object) -> int | None:
    """Return the place that the claim `status` of a copy names; None where it names none of ours."""
    reference = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(reference, dict):
        return None
    uri, index = reference.get("uri"), reference.get("idx")
    number = uri.removeprefix(f"{call.settings.signs_as}{PATH}/") if isinstance(uri, str) else ""
    if not number.isdecimal() or not isinstance(index, int) or not 0 <= index < SIZE:
        return None
    return int(number) * SIZE + index


def status_of(state: State) -> Status:
    """Return how the lists say a stored state.

    What has ended is INVALID for good; a licence that may come to hold (again), 暂扣 or 待领取, is SUSPENDED. That one
    has run out is for its dates to say.
    """
    if state in TERMINAL:
        return Status.INVALID
    return Status.VALID if state is State.VALID else Status.SUSPENDED


def key_of(identifier: str) -> bytes:
    """Return the 16 bytes by which the places of a licence are found."""
    return hashlib.sha256(b"status entry\0" + identifier.encode()).digest()[:16]


def _note(call: Call, places: list[int], status: Status) -> None:
    row = {"value": int(status), "at": call.now, "published_at": None}
    call.connection.execute(_NOTE, [{"place": place, "change_id": timed_id(call.now), **row} for place in places])


def _open_list(call: Call) -> None:
    """Open the next list, unless somebody else has: the newest is filling up."""
    number = call.connection.execute(_NEWEST).scalar_one() + 1
    add_if_new(call.session, StatusList, {"list_number": number, "opened_at": call.now})
