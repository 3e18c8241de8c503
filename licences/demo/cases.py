"""Cases at the counters of the demonstration city (演示办件): checks and commitments, by the verbs that everybody uses.

A citizen consents, a clerk looks his matter up, and what no licence proves becomes a question to another department or
a commitment to sign. One of the commitments is signed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, select

from idservice.call import Call, Caller, Post
from idservice.login.levels import MFA, OTP, PWD
from idservice.register import people
from licences.counter import commitment_signing, consents, lookups, matters
from licences.models import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import House
    from licences.demo.city import DemoCity
    from licences.demo.departments import DemoClerk
    from licences.demo.people import DemoPerson

#: Matter, place of the citizen, place of the clerk, and whether what he commits to is signed.
_CASES: Final = (
    ("DM-M-045", 60, 0, False),
    ("DM-M-040", 61, 3, False),
    ("DM-M-027", 62, 2, False),
    ("DM-M-036", 63, 3, True),
    ("DM-M-033", 64, 3, False),
)


def make(house: House, town: DemoCity) -> None:
    """Handle the cases that were not handled yet; a city of an earlier version may lack their matters."""
    known = _run(house, Caller("cli"), matters.entries)
    for number, (matter, citizen, clerk, is_signed) in enumerate(_CASES, 1):
        if matter in known:
            _handle(house, matter, town.people[citizen], town.clerks[clerk], f"DEMO-{number:04}", is_signed=is_signed)


def _handle(
    house: House, matter: str, citizen: DemoPerson, clerk: DemoClerk, case_number: str, *, is_signed: bool
) -> None:
    subject = _run(house, Caller("cli"), lambda call: people.find(call, citizen.number)) or ""
    seen = exists().where(Lookup.subject == subject, Lookup.matter == matter)
    if _run(house, Caller("cli"), lambda call: call.session.scalar(select(seen))):
        return
    holder = Caller("page", person=subject, level=citizen.level, amr=(PWD,), auth_time=datetime.now(UTC))
    given = _run(house, holder, lambda call: consents.give(call, {"matter": matter, "days": 1}).consent_id)
    body = {
        "matter": matter,
        "subject": {"number": citizen.number},
        "authorisation": {"consent": given},
        "purpose": "演示",
        "case_number": case_number,
    }
    found = _run(house, _at_counter(house, clerk), lambda call: lookups.look_up(call, body))
    for proof in found["proofs"] if is_signed else ():
        if "commitment" in proof:
            _run(house, holder, partial(commitment_signing.sign, commitment_id=proof["commitment"], language="zh"))


def _at_counter(house: House, clerk: DemoClerk) -> Caller:
    person = _run(house, Caller("cli"), lambda call: people.find(call, clerk.person.number))
    posts = frozenset({(str(Post.CLERK), clerk.department)})
    login = (PWD, OTP, MFA)
    return Caller("page", person=person, posts=posts, counter=clerk.counter, amr=login, level=clerk.person.level)


def _run(house: House, caller: Caller, verb: Callable[[Call], Any]) -> Any:
    return house.database.run(lambda session: verb(Call(house, session, caller, datetime.now(UTC), "demo")), write=True)
