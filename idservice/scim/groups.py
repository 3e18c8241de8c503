"""Groups: who holds a post in a department, and who is an administrator (RFC 7643 section 4.2).

Groups follow from the departments, so they are read and their members changed, and no more. An administrator's role is
given and taken by `admin.approvals` and nothing else: asked for by one, decided by another, and never a second one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from idservice.admin import approvals, person_acts
from idservice.admin.acts import RiskyAct
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.call import Post
from idservice.errors import Problem
from idservice.models import Department, Staff
from idservice.scim import accounts, group_ids, patching, posts, reading, versions
from idservice.scim.account_view import base
from idservice.scim.group_ids import PostGroup, RoleGroup
from idservice.scim.models import StaffAccount
from idservice.scim.resource_types import GROUP, GROUP_URN, STAFF_URN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call
    from idservice.scim.reach import Reach


@dataclass(frozen=True, slots=True)
class Changed:
    """A group after a change; `is_waiting` where another person has yet to decide about some of it."""

    resource: dict[str, Any]
    is_waiting: bool = False


def listed(call: Call, reach: Reach) -> list[dict[str, Any]]:
    """Return every group within reach."""
    held = _held(call, reach)
    departments = select(Department.credit_code, Department.name).order_by(Department.credit_code)
    if reach.departments is not None:
        departments = departments.where(Department.credit_code.in_(sorted(reach.departments)))
    found = []
    for code, name in call.session.execute(departments):
        for post in Post:
            group = PostGroup(post, code)
            found.append(_shown(call, group.text, group.display(name), held.get(group.text, [])))
    if reach.is_administrator:
        found += [_role(call, RoleGroup(role)) for role in Role]
    return found


def read(call: Call, reach: Reach, text: str) -> dict[str, Any]:
    """Return a group.

    Raises:
        Problem: not_found.
    """
    group = _find(call, reach, text)
    if isinstance(group, RoleGroup):
        return _role(call, group)
    name = call.session.get_one(Department, group.department).name
    return _shown(call, text, group.display(name), _held(call, reach, group).get(text, []))


def replace(call: Call, reach: Reach, text: str, body: Any, *, if_match: str | None) -> Changed:
    """Let exactly these accounts be the members.

    Raises:
        Problem: not_found; precondition_failed; scim_syntax, scim_value; forbidden; role_taken.
    """
    before = _before(call, reach, text, if_match)
    found = reading.resource(GROUP, body)
    return _changed(call, reach, text, before, found)


def patch(call: Call, reach: Reach, text: str, body: Any, *, if_match: str | None) -> Changed:
    """Add, remove or replace members.

    Raises:
        Problem: as `replace`, and what `patching.patched` refuses.
    """
    before = _before(call, reach, text, if_match)
    return _changed(call, reach, text, before, patching.patched(GROUP, before, body))


def _before(call: Call, reach: Reach, text: str, if_match: str | None) -> dict[str, Any]:
    """Return a group that is about to be changed, and by nobody else meanwhile where the database has row locks."""
    group = _find(call, reach, text)
    if isinstance(group, PostGroup):
        reach.demand_change()
        lock = select(Department.credit_code).where(Department.credit_code == group.department).with_for_update()
        call.session.execute(lock)
    before = read(call, reach, text)
    versions.demand(if_match, before)
    return before


def _changed(call: Call, reach: Reach, text: str, before: dict[str, Any], after: dict[str, Any]) -> Changed:
    group = _find(call, reach, text)
    old = {member["value"] for member in before.get("members", [])}
    new = {_value(member) for member in after.get("members", [])}
    added = [accounts.find(call, reach, name, lock=True) for name in sorted(new - old)]
    removed = [accounts.find(call, reach, name, lock=True) for name in sorted(old - new)]
    if isinstance(group, RoleGroup):
        is_waiting = _change_role(call, group, added, removed)
        return Changed(read(call, reach, text), is_waiting=is_waiting)
    for account in removed:
        posts.take(call, account, group.post)
    for account in added:
        if account.department != group.department:
            raise Problem("scim_value", "A post is held by an account of the same department.")
        counter = accounts.read(call, reach, account.account_id)[STAFF_URN].get("counter")
        posts.give(call, account, group.post, counter=counter)
    return Changed(read(call, reach, text))


def _value(member: dict[str, Any]) -> str:
    value = member.get("value")
    if not isinstance(value, str) or member.get("type", "User") != "User":
        raise Problem("scim_value", "A member is a User and has a value.")
    return value


def _change_role(call: Call, group: RoleGroup, added: Iterable[StaffAccount], removed: Iterable[StaffAccount]) -> bool:
    """Ask for a role for each new member and against each old one; one's own is laid down. Return whether any waits."""
    is_waiting = False
    for account in removed:
        if account.subject == call.caller.person:
            person_acts.lay_down_role(call)
        else:
            approvals.ask(call, RiskyAct.ROLE_TAKE, {"subject": account.subject})
            is_waiting = True
    for account in added:
        if account.subject is None or not account.active:
            raise Problem("scim_value", "A role is held by an active account that is linked to a person.")
        approvals.ask(call, RiskyAct.ROLE_GIVE, {"subject": account.subject, "role": str(group.role)})
        is_waiting = True
    return is_waiting


def _find(call: Call, reach: Reach, text: str) -> PostGroup | RoleGroup:
    """Return the group of that id within reach.

    Raises:
        Problem: not_found.
    """
    group = group_ids.named(text)
    if isinstance(group, RoleGroup) and reach.is_administrator:
        return group
    if (
        isinstance(group, PostGroup)
        and reach.covers(group.department)
        and call.session.get(Department, group.department) is not None
    ):
        return group
    raise Problem("not_found", "There is no such group.")


Members = list[tuple[str, str]]  # ids and userNames of accounts


def _held(call: Call, reach: Reach, group: PostGroup | None = None) -> dict[str, Members]:
    """Return the members of one group, or of all within reach."""
    is_his = and_(StaffAccount.subject == Staff.subject, StaffAccount.department == Staff.department)
    query = (
        select(Staff.role, Staff.department, StaffAccount.account_id, StaffAccount.user_name)
        .join(StaffAccount, is_his)
        .where(StaffAccount.active.is_(True), Staff.role.in_([str(post) for post in Post]))
        .order_by(StaffAccount.account_id)
    )
    if group is not None:
        query = query.where(Staff.department == group.department, Staff.role == str(group.post))
    elif reach.departments is not None:
        query = query.where(Staff.department.in_(sorted(reach.departments)))
    found: dict[str, Members] = {}
    for role, department, account_id, user_name in call.session.execute(query):
        found.setdefault(PostGroup(Post(role), department).text, []).append((account_id, user_name))
    return found


def _role(call: Call, group: RoleGroup) -> dict[str, Any]:
    query = (
        select(StaffAccount.account_id, StaffAccount.user_name)
        .join(Administrator, Administrator.subject == StaffAccount.subject)
        .where(Administrator.role == str(group.role))
        .order_by(StaffAccount.account_id)
    )
    members = [(account_id, user_name) for account_id, user_name in call.session.execute(query)]
    return _shown(call, group.text, group.display, members)


def _shown(call: Call, text: str, display: str, members: Members) -> dict[str, Any]:
    """Return the resource; its version is that of its members, whose posts may also change elsewhere."""
    digest = hashlib.sha256("\n".join(account_id for account_id, _name in members).encode()).hexdigest()
    return {
        "schemas": [GROUP_URN],
        "id": text,
        "displayName": display,
        "members": [
            {"value": account_id, "$ref": f"{base(call)}/Users/{account_id}", "display": user_name, "type": "User"}
            for account_id, user_name in members
        ],
        "meta": {
            "resourceType": "Group",
            "location": f"{base(call)}/Groups/{text}",
            "version": versions.tag(digest[:16]),
        },
    }
