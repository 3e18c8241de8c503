"""Which app may read which type of licence, in which ways (接口授权): rows of data, nothing without one.

A row names the department whose app it is, the matter that needs the type, and the provision that the holder reads. One
person asks for a row and another agrees; until then, and after any change, it opens nothing. Taking one out takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.models import Client, Department
from licences import catalogue
from licences.counter import matters
from licences.deeds import Deed
from licences.sharing.models import SharingPermission

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from licences.counter.matter_definition import Matter

register(
    {
        "sharing_refused": Kind(
            403, "该应用无访问该类证照的权限", "This app may not do that with this type of licence"
        ),
        "sharing_type_unknown": Kind(404, "证照类型代码有误", "There is no such licence type"),
    }
)

LISTED = 500


class Operation(StrEnum):
    """What an app may do with a type."""

    FIND = "find"  # 检索
    READ = "read"  # 信息获取
    DOWNLOAD = "download"  # 文件下载
    VERIFY_DATA = "verify_data"  # 信息验证
    VERIFY_FILE = "verify_file"  # 文件验证


@dataclass(frozen=True, slots=True)
class Permission:
    """A row that is in force: for whom, for what, on what ground, and which fields of the type its matter needs."""

    client_id: str
    type_code: str
    operations: frozenset[str]
    department: str
    matter: str
    ground: str
    unattended: bool
    fields: frozenset[str]


def demand(call: Call, type_code: str, operation: Operation) -> Permission:
    """Return the caller's permission to do something with a type.

    Raises:
        Problem: sharing_refused, alike for no row, one that nobody agreed to, and another operation.
    """
    found = of_client(call, call.caller.client_id or "", type_code, operation)
    if found is None:
        raise Problem("sharing_refused", "Ask the administrators of sharing for it.")
    return found


def of_client(call: Call, client_id: str, type_code: str, operation: Operation) -> Permission | None:
    """Return an app's permission to do something with a type, None where it has none in force."""
    found = _in_force(call, call.session.get(SharingPermission, (client_id, type_code)))
    return found if found is not None and operation in found.operations else None


def held(call: Call, operation: Operation) -> list[Permission]:
    """Return the caller's permissions for an operation, by type."""
    mine = SharingPermission.client_id == (call.caller.client_id or "")
    rows = call.session.scalars(select(SharingPermission).where(mine).order_by(SharingPermission.type_code))
    known = [found for row in rows if (found := _in_force(call, row)) is not None]
    return [one for one in known if operation in one.operations]


def ask(call: Call, wanted: dict[str, Any]) -> SharingPermission:
    """Ask for a row, or for a change of one; whoever may ask has been checked by the edge.

    Args:
        call: the call.
        wanted: `client_id`, `type`, `operations`, `department`, `matter`, `ground`, `unattended`.

    Raises:
        Problem: invalid, naming what is unknown or does not fit.
    """
    matter = matters.entries(call).get(wanted["matter"])
    client = call.session.get(Client, wanted["client_id"])
    faults = [
        *(["client_id"] if client is None or client.auth_method == "none" else []),  # anybody can be a public client
        *(["department"] if call.session.get(Department, wanted["department"]) is None else []),
        *(["type"] if wanted["type"] not in catalogue.entries(call) else []),
        *(["matter"] if matter is None or wanted["type"] not in matter.types else []),
        *(["operations"] if not wanted["operations"] or not _known(wanted["operations"]) else []),
        *(["ground"] if not 0 < len(wanted["ground"].strip()) <= 200 else []),
    ]
    if faults:
        raise Problem(
            "invalid", "", errors=[FieldProblem(f"/{name}", "unknown", "unknown or unfit") for name in faults]
        )
    row = SharingPermission(
        client_id=wanted["client_id"],
        type_code=wanted["type"],
        operations=sorted(set(wanted["operations"])),
        department=wanted["department"],
        matter=wanted["matter"],
        ground=wanted["ground"].strip(),
        unattended=wanted["unattended"],
        asked_by=call.caller.name_for_log,
        asked_at=call.now,
        agreed_by=None,
        agreed_at=None,
    )
    merged = call.session.merge(row)
    call.session.flush()
    _note(call, "asked", row)
    return merged


def agree(call: Call, client_id: str, type_code: str, *, asked_at: datetime) -> SharingPermission:
    """Put a row in force, as a second person; `asked_at` tells which row he has seen, since it may be asked for anew.

    Raises:
        Problem: not_found; second_person, to whoever asked for it; conflict, where it was changed or agreed to before.
    """
    row = call.session.get(SharingPermission, (client_id, type_code))
    if row is None:
        raise Problem("not_found", "Nobody asked for that.")
    who = call.caller.name_for_log
    if row.asked_by == who:
        raise Problem("second_person", "Another person than the one who asked agrees.")
    table = SharingPermission
    agreed = call.session.execute(
        update(table)
        .where(
            table.client_id == client_id,
            table.type_code == type_code,
            table.asked_at == asked_at,
            table.asked_by == row.asked_by,
            table.agreed_by.is_(None),
        )
        .values(agreed_by=who, agreed_at=call.now)
        .returning(table.client_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if agreed is None:
        raise Problem("conflict", "It was changed or agreed to meanwhile: look again.")
    call.session.refresh(row)
    _note(call, "agreed", row)
    return row


def revoke(call: Call, client_id: str, type_code: str) -> None:
    """Take a row out, at once.

    Raises:
        Problem: not_found.
    """
    table = SharingPermission
    gone = delete(table).where(table.client_id == client_id, table.type_code == type_code).returning(table.client_id)
    if call.session.execute(gone.execution_options(synchronize_session=False)).one_or_none() is None:
        raise Problem("not_found", "The app has no such permission.")
    audit.record(call, Deed.SHARING_CHANGED, client=client_id, type=type_code, change="revoked")


def listed(call: Call) -> list[SharingPermission]:
    """Return the rows, those that wait for a second person first."""
    order = (SharingPermission.agreed_by.is_not(None), SharingPermission.client_id, SharingPermission.type_code)
    return list(call.session.scalars(select(SharingPermission).order_by(*order).limit(LISTED)))


def fields_of(matter: Matter, type_code: str) -> frozenset[str]:
    """Return the fields of a type that a matter needs: no reader gets more (State Council decree 716, clause 7)."""
    return frozenset(name for proof in matter.proofs if proof.type_code == type_code for name in proof.fields)


def _in_force(call: Call, row: SharingPermission | None) -> Permission | None:
    matter = matters.entries(call).get(row.matter) if row is not None and row.agreed_by is not None else None
    if row is None or matter is None or row.type_code not in matter.types:
        return None
    return Permission(
        row.client_id,
        row.type_code,
        frozenset(row.operations),
        row.department,
        row.matter,
        row.ground,
        row.unattended,
        fields_of(matter, row.type_code),
    )


def _known(operations: Sequence[str]) -> bool:
    return set(operations) <= set(Operation)


def _note(call: Call, change: str, row: SharingPermission) -> None:
    facts: dict[str, Any] = {"operations": list(row.operations), "matter": row.matter, "unattended": row.unattended}
    audit.record(call, Deed.SHARING_CHANGED, client=row.client_id, type=row.type_code, change=change, **facts)
