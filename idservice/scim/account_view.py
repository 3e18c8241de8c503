"""How staff accounts are shown: as `User` resources with the posts their people hold, RFC 7643 section 4.1."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.call import Post
from idservice.models import Department, Staff
from idservice.scim import versions
from idservice.scim.errors import PREFIX
from idservice.scim.group_ids import PostGroup, RoleGroup
from idservice.scim.models import StaffAccount
from idservice.scim.resource_types import STAFF_URN, USER_URN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from idservice.scim.reach import Reach

TABLE: Final = "staff_account"

Groups = dict[tuple[str, str], list[tuple[str, str]]]  # of subject and department: ids and names


def shown(call: Call, reach: Reach, row: StaffAccount) -> dict[str, Any]:
    """Return one account."""
    return _shown(call, row, _groups(call, reach, [row]))


def listed(call: Call, reach: Reach, *, user_name: str | None = None) -> list[dict[str, Any]]:
    """Return every account within reach in the order of their making; or the one of that name."""
    query = select(StaffAccount).order_by(StaffAccount.created_at, StaffAccount.account_id)
    if reach.departments is not None:
        query = query.where(StaffAccount.department.in_(sorted(reach.departments)))
    if user_name is not None:
        query = query.where(StaffAccount.user_name_folded == user_name.lower())
    rows = call.session.scalars(query).all()
    groups = _groups(call, reach, rows)
    return [_shown(call, row, groups) for row in rows]


def facts_of(call: Call, row: StaffAccount) -> dict[str, Any]:
    """Return what describes an account, opened."""
    opened = call.cipher.open(row.facts_sealed, table=TABLE, column="facts_sealed", row=row.account_id)
    facts: dict[str, Any] = json.loads(opened)
    return facts


def base(call: Call) -> str:
    """Return the address below which everything lies."""
    return f"{call.settings.issuer}{PREFIX}"


def _shown(call: Call, row: StaffAccount, groups: Groups) -> dict[str, Any]:
    facts = facts_of(call, row)
    counter = facts.pop("counter", None)
    held = groups.get((row.subject or "", row.department), [])
    return {
        "schemas": [USER_URN, STAFF_URN],
        "id": row.account_id,
        "userName": row.user_name,
        **facts,
        "active": row.active,
        "groups": [
            {"value": name, "$ref": f"{base(call)}/Groups/{name}", "display": display, "type": "direct"}
            for name, display in held
        ],
        STAFF_URN: {"department": row.department, "linked": row.subject is not None}
        | ({"counter": counter} if counter is not None else {}),
        "meta": {
            "resourceType": "User",
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": f"{base(call)}/Users/{row.account_id}",
            "version": versions.tag(row.version),
        },
    }


def _groups(call: Call, reach: Reach, rows: Sequence[StaffAccount]) -> Groups:
    """Return the groups of some accounts in one look; administrators' roles are shown to administrators alone."""
    found: Groups = defaultdict(list)
    departments = {row.department for row in rows if row.active and row.subject is not None}
    if not departments:
        return found
    subjects = {(row.subject, row.department) for row in rows if row.active}
    held = (
        select(Staff.subject, Staff.department, Staff.role, Department.name)
        .join(Department, Department.credit_code == Staff.department)
        .where(Staff.department.in_(sorted(departments)))
        .order_by(Staff.role)
    )
    if len(rows) == 1:
        held = held.where(Staff.subject == rows[0].subject)
    for subject, department, role, name in call.session.execute(held):
        if (subject, department) in subjects and role in set(Post):
            group = PostGroup(Post(role), department)
            found[subject, department].append((group.text, group.display(name)))
    if reach.is_administrator:
        _add_roles(call, rows, found)
    return found


def _add_roles(call: Call, rows: Sequence[StaffAccount], found: Groups) -> None:
    roles = {subject: RoleGroup(Role(role)) for subject, role in call.session.execute(_ADMINISTRATORS)}
    for row in rows:
        if row.subject is not None and row.subject in roles:
            group = roles[row.subject]
            found[row.subject, row.department].append((group.text, group.display))


_ADMINISTRATORS = select(Administrator.subject, Administrator.role)
