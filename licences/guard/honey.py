"""Honey numbers (蜜罐号码): whoever asks for one was not sent by a citizen. Kept by keyed hash, so never readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import FieldProblem, Problem
from idservice.numbers import InvalidNumber, citizen
from idservice.register import people
from licences.deeds import Deed
from licences.guard.models import GuardHoney

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call


def put(call: Call, numbers: Iterable[str]) -> int:
    """Enter honey numbers and return how many were new.

    Raises:
        Problem: invalid, where a number has a wrong check digit or somebody bears it.
    """
    new = 0
    for place, number in enumerate(numbers):
        folded = _checked(call, number, place)
        row = {"number_hash": call.cipher.index(people.INDEX_FIELD, folded), "set_at": call.now}
        new += add_if_new(call.session, GuardHoney, row)
    audit.record(call, Deed.GUARD_CHANGED, honey=new)
    return new


def is_one(call: Call, number: str) -> bool:
    """Return whether a number in its normal form is one."""
    hashes = call.cipher.indexes(people.INDEX_FIELD, number)
    known = select(GuardHoney.number_hash).where(GuardHoney.number_hash.in_(hashes)).limit(1)
    return call.session.scalar(known) is not None


def count(call: Call) -> int:
    """Return how many there are: all that anybody is told of them."""
    return call.session.scalar(select(func.count()).select_from(GuardHoney)) or 0


def _checked(call: Call, number: str, place: int) -> str:
    try:
        folded = citizen.check(number)
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{place}", error.code, "not a number")]) from None
    if people.find(call, folded) is not None:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{place}", "taken", "somebody bears this number")])
    return folded
