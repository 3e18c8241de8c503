"""Staff accounts (工作人员账号) as a department's directory keeps them: make, read, replace, change, remove.

An account is a name and a description; what a person may do follows from his posts (`posts`). The citizen number links
the account to the register once, puts a line on that person's access record, and is never told again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Problem
from idservice.ids import random_id
from idservice.login import staff_names
from idservice.models import Department, Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.register import people
from idservice.scim import patching, posts, reading, versions
from idservice.scim.account_view import TABLE, facts_of, shown
from idservice.scim.deeds import StaffDeed
from idservice.scim.models import StaffAccount
from idservice.scim.resource_types import STAFF_URN, USER

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.scim.reach import Reach

LINK_LIMIT: Final = "300/minute"  # of one client: each is a question to the register of people
_MANY_DIGITS = re.compile(r"\d{15}")
_KEPT: Final = ("externalId", "name", "displayName", "title", "emails", "phoneNumbers")


def make(call: Call, reach: Reach, body: Any) -> dict[str, Any]:
    """Enter an account and return it.

    Raises:
        Problem: scim_syntax, scim_value, scim_uniqueness; forbidden.
    """
    reach.demand_change()
    found = reading.required(USER, reading.resource(USER, body))
    staff = found.get(STAFF_URN, {})
    department = _department(call, reach, staff.get("department"))
    account_id = random_id()
    subject = _subject_of(call, account_id, department, staff["idNumber"]) if "idNumber" in staff else None
    name = _user_name(found["userName"])
    row = {
        "account_id": account_id,
        "department": department,
        "user_name": name,
        "user_name_folded": name.lower(),
        "subject": subject,
        "active": found.get("active", True),
        "facts_sealed": _seal(call, account_id, _facts(found)),
        "version": 1,
        "created_at": call.now,
        "changed_at": call.now,
    }
    if not add_if_new(call.session, StaffAccount, row):
        raise Problem("scim_uniqueness", "The userName, or the person's account in this department, exists already.")
    audit.record(call, StaffDeed.ACCOUNT_MADE, account=account_id, department=department, subject=subject)
    made = find(call, reach, account_id)
    if not made.active:
        posts.end_all(call, made)
    elif "counter" in staff:
        posts.seat(call, made, staff["counter"])
    return shown(call, reach, made)


def read(call: Call, reach: Reach, account_id: str) -> dict[str, Any]:
    """Return an account.

    Raises:
        Problem: not_found.
    """
    return shown(call, reach, find(call, reach, account_id))


def replace(call: Call, reach: Reach, account_id: str, body: Any, *, if_match: str | None) -> dict[str, Any]:
    """Put what is sent in the place of what there is; only `active` and the department stay where they are left out.

    Raises:
        Problem: not_found; precondition_failed; and what `make` refuses.
    """
    row = _held(call, reach, account_id, if_match)
    found = reading.required(USER, reading.resource(USER, body))
    return _changed(call, reach, row, found)


def patch(call: Call, reach: Reach, account_id: str, body: Any, *, if_match: str | None) -> dict[str, Any]:
    """Carry out the operations of a PATCH, all or none.

    Raises:
        Problem: not_found; precondition_failed; what `patching.patched` and `make` refuse.
    """
    row = _held(call, reach, account_id, if_match)
    found = patching.patched(USER, _writable(call, reach, row), body)
    if "active" not in found:
        raise Problem("scim_mutability", "active always has a value.")
    return _changed(call, reach, row, found)


def remove(call: Call, reach: Reach, account_id: str, *, if_match: str | None) -> None:
    """End an account and forget it: its userName is free again, and the person is a citizen like any other.

    Raises:
        Problem: not_found; precondition_failed; forbidden.
    """
    row = _held(call, reach, account_id, if_match)
    posts.end_all(call, row)
    audit.record(call, StaffDeed.ACCOUNT_REMOVED, account=row.account_id, department=row.department)
    call.session.delete(row)


def find(call: Call, reach: Reach, account_id: str, *, lock: bool = False) -> StaffAccount:
    """Return the row of an account within reach; one beyond it does not exist.

    Raises:
        Problem: not_found.
    """
    query = select(StaffAccount).where(StaffAccount.account_id == account_id)
    row = call.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None or not reach.covers(row.department):
        raise Problem("not_found", "There is no such account.")
    return row


def _held(call: Call, reach: Reach, account_id: str, if_match: str | None) -> StaffAccount:
    """Return an account that is about to be changed, by nobody else meanwhile."""
    row = find(call, reach, account_id, lock=True)
    reach.demand_change()
    versions.demand(if_match, shown(call, reach, row))
    return row


def _changed(call: Call, reach: Reach, row: StaffAccount, found: dict[str, Any]) -> dict[str, Any]:
    staff = found.get(STAFF_URN, {})
    if staff.get("department", row.department) != row.department:
        raise Problem("scim_mutability", "An account stays in its department: remove it and make another.")
    before, was_active, old = _columns(row), row.active, facts_of(call, row)
    if "idNumber" in staff:
        _link(call, row, staff["idNumber"])
    name = _user_name(found["userName"])
    row.user_name, row.user_name_folded = name, name.lower()
    row.active = found.get("active", row.active)
    facts = _facts(found)
    if (_columns(row), facts) == (before, old):
        return shown(call, reach, row)
    row.facts_sealed = _seal(call, row.account_id, facts)
    row.version += 1
    row.changed_at = call.now
    try:
        call.session.flush()
    except IntegrityError:
        raise Problem("scim_uniqueness", "The userName, or the person's account in this department, exists.") from None
    audit.record(call, StaffDeed.ACCOUNT_CHANGED, account=row.account_id, department=row.department, active=row.active)
    if was_active and not row.active:
        posts.end_all(call, row)
    if facts.get("counter") != old.get("counter"):
        posts.seat(call, row, facts.get("counter"))
    return shown(call, reach, row)


def _columns(row: StaffAccount) -> tuple[Any, ...]:
    return row.user_name, row.active, row.subject


def _department(call: Call, reach: Reach, stated: str | None) -> str:
    """Return where an account belongs: as stated, or the only department within reach."""
    if stated is None and reach.departments is not None and len(reach.departments) == 1:
        stated = next(iter(reach.departments))
    if stated is None or not reach.covers(stated) or call.session.get(Department, stated) is None:
        raise Problem("scim_value", f"{STAFF_URN}:department names one of this client's departments.")
    return stated


def _user_name(name: str) -> str:
    if not staff_names.FORM.fullmatch(name) or _MANY_DIGITS.search(name):
        raise Problem("scim_value", "userName has 1 to 64 characters of A-Za-z0-9._@+-, and is nobody's number.")
    return name


def _link(call: Call, row: StaffAccount, number: str) -> None:
    subject = _subject_of(call, row.account_id, row.department, number)
    if row.subject not in {None, subject}:
        raise Problem("scim_mutability", "The account is another person's: remove it and make another.")
    row.subject = subject


def _subject_of(call: Call, account_id: str, department: str, number: str) -> str:
    """Return the person of the register who bears the number; that he was looked for goes on his record."""
    client = call.caller.client_id or "-"
    call.house.limiter.check(LINK_LIMIT, what="scim.link", who=client, address=call.caller.address)
    try:
        found = people.find_kind(call, citizen.check(number, today=call.now.date()))
    except InvalidNumber:
        found = None
    person = call.session.get(Person, found[0]) if found is not None and found[1] == "person" else None
    if person is None or person.status != "active":
        raise Problem("scim_value", "idNumber is not that of a person with an account here.")
    unit = call.session.get_one(Department, department).name
    facts: dict[str, Any] = {"who": call.caller.client_name or client, "unit": unit, "basis": "legal_basis"}
    audit.record_access(call, StaffDeed.ACCOUNT_LINKED, subject=person.subject, facts=facts, account=account_id)
    return person.subject


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: found[name] for name in _KEPT if name in found}
    counter = found.get(STAFF_URN, {}).get("counter")
    return kept | ({"counter": counter} if counter is not None else {})


def _writable(call: Call, reach: Reach, row: StaffAccount) -> dict[str, Any]:
    """Return the account as a PATCH finds it; what it shows and cannot write is refused by its schema."""
    return {name: value for name, value in shown(call, reach, row).items() if name not in {"schemas", "id", "meta"}}


def _seal(call: Call, account_id: str, facts: dict[str, Any]) -> bytes:
    text = json.dumps(facts, ensure_ascii=False).encode()
    return call.cipher.seal(text, table=TABLE, column="facts_sealed", row=account_id)
