"""The legal-entity register (法人库) as it comes in a file: name, standing and legal representative of each.

A credit code is found by its keyed hash. A new legal representative takes the old one's place, and with the old one go
the grants that rested on him.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from idservice import bulk
from idservice.db import table_of
from idservice.ids import random_id
from idservice.models import Mandate, Organisation
from idservice.numbers import citizen, credit_code
from idservice.numbers.fold import InvalidNumber
from idservice.register import changes as register_changes
from idservice.register import population
from idservice.register.importing_index import Outcome, enter_numbers, find_hashes, find_numbers
from idservice.register.importing_rows import RowRefused, name_of
from idservice.register.people import INDEX_FIELD
from idservice.register.representatives import ROLE, change_representative, leave_without

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.fields import FieldCipher

KIND: Final = "organisation"
MEMBERS: Final[Mapping[str, str]] = {
    **{name: name for name in ("number", "name", "status", "representative")},
    "credit_code": "number",
    "统一社会信用代码": "number",
    "名称": "name",
    "状态": "status",
    "法定代表人身份号码": "representative",
}
NEEDED: Final = frozenset({"number", "name"})
_STATES = {"active": "active", "closed": "closed", "存续": "active", "注销": "closed"}

_organisations = table_of(Organisation)
_COLUMNS = ("subject", "credit_code", "name", "status", "created_at")
_UPDATE = (
    update(_organisations)
    .where(_organisations.c.subject == bindparam("whose"))
    .values(name=bindparam("new_name"), status=bindparam("new_status"))
)


@dataclass(slots=True)
class Row:
    """One checked row; `representative` is the hashes of his number, so that it need not be carried along."""

    line: int
    hashes: tuple[bytes, ...]
    subject: str
    code: str = field(repr=False)
    name: str
    status: str | None
    representative: tuple[bytes, ...] | None


def prepare(cipher: FieldCipher, line: int, values: Mapping[str, str], today: date) -> Row:
    """Check the values of one line and hash its numbers; raises `RowRefused`."""
    reasons = []
    code, representative = "", None
    try:
        code = credit_code.check(values.get("number", ""))
    except InvalidNumber as error:
        reasons.append(f"number_{error.code}")
    if (name := name_of(values)) is None:
        reasons.append("name")
    if "status" in values and values["status"] not in _STATES:
        reasons.append("status")
    if "representative" in values:
        try:
            number = citizen.check(values["representative"], today=today)
            representative = cipher.indexes(INDEX_FIELD, number)
        except InvalidNumber:
            reasons.append("representative")
    if reasons or name is None:
        raise RowRefused(*reasons)
    status = _STATES.get(values.get("status", ""))
    return Row(line, cipher.indexes(INDEX_FIELD, code), random_id(), code, name, status, representative)


def take(call: Call, rows: Sequence[Row], *, dry_run: bool) -> Outcome:
    """Enter the rows that are new and bring those that are there up to date; no two rows have the same code.

    A row whose representative is not known is rejected, but what it says of an organisation that is there holds all the
    same: its name, its status, and that whoever led it does so no more.
    """
    outcome = Outcome()
    known, heads = (
        find_numbers(call, rows),
        find_hashes(call, [row.representative for row in rows if row.representative]),
    )
    stored, leading = _stored(call, [found.subject for found in known.values()])
    fresh, changes, leaders, leaderless = [], [], [], []
    for row in rows:
        found, head = known.get(row.hashes[0]), heads.get(row.representative[0]) if row.representative else None
        if found is not None and found.kind != KIND:
            outcome.rejects.append((row.line, ("other_kind",)))
        elif row.representative and (head is None or head.kind != population.KIND):
            outcome.rejects.append((row.line, ("representative_unknown",)))
            change = _change(row, stored[found.subject]) if found is not None else None
            left = [found.subject] if found is not None and found.subject in leading else []
            changes += [change] if change is not None else []
            leaderless += left
            outcome.subjects += [change["whose"]] if change is not None else left
        elif found is None:
            fresh.append(row)
            leaders += [(row.subject, head.subject)] if head else []
        else:
            change = _change(row, stored[found.subject])
            leads = head is not None and leading.get(found.subject) != {head.subject}
            changes += [change] if change is not None else []
            leaders += [(found.subject, head.subject)] if head is not None and leads else []
            outcome.unchanged += change is None and not leads
            outcome.changed += change is not None or leads
            outcome.subjects += [found.subject] if change is not None or leads else []
    outcome.added = len(fresh)
    outcome.subjects += [row.subject for row in fresh]
    if not dry_run:
        _write(call, fresh, changes)
        for principal, person in leaders:
            change_representative(call, principal, person)
        for principal in leaderless:
            leave_without(call, principal)
        register_changes.tell(call, [change["whose"] for change in changes])
    return outcome


def _stored(call: Call, subjects: Sequence[str]) -> tuple[dict[str, Any], dict[str, set[str]]]:
    """Return the rows of organisations and their legal representatives, by subject."""
    if not subjects:
        return {}, {}
    connection = call.session.connection()
    rows = connection.execute(select(_organisations).where(_organisations.c.subject.in_(subjects)))
    asked = select(Mandate.principal, Mandate.subject).where(
        Mandate.principal.in_(subjects), Mandate.role == ROLE, Mandate.withdrawn_at.is_(None)
    )
    leading: dict[str, set[str]] = {}
    for principal, person in connection.execute(asked):
        leading.setdefault(principal, set()).add(person)
    return {row.subject: row for row in rows}, leading


def _change(row: Row, before: Any) -> dict[str, Any] | None:
    stays = before.status == "locked" and row.status != "closed"  # an import lets nobody go on who was stopped
    status = before.status if stays else row.status or before.status
    if (row.name, status) == (before.name, before.status):
        return None
    return {"whose": before.subject, "new_name": row.name, "new_status": status}


def _write(call: Call, fresh: Sequence[Row], changes: list[dict[str, Any]]) -> None:
    enter_numbers(call, fresh, kind=KIND)
    new = [(row.subject, row.code, row.name, row.status or "active", call.now) for row in fresh]
    bulk.insert(call.connection, _organisations, _COLUMNS, sorted(new))  # neighbours in the key
    if changes:
        call.connection.execute(_UPDATE, changes)
