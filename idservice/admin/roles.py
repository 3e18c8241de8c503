"""The three administrators (三员分立): system, security and audit, GB/T 22239-2019 clause 8.1.10 (安全管理中心).

An account holds at most one of the roles, because the account alone is the key of the table. Every administrative
operation passes through `demand`, which asks for the role and for a login with two factors.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from idservice import audit
from idservice.admin.deeds import AdminDeed
from idservice.admin.models import Administrator
from idservice.db import add_if_new
from idservice.errors import Kind, Problem, register
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.models import Person

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {"role_taken": Kind(409, "该账号已有管理角色，三员不得兼任", "This account holds an administrator's role already")}
)


class Role(StrEnum):
    """What an administrator administers."""

    SYSTEM = "system"  # 系统管理员: apps, people, organisations, mandates
    SECURITY = "security"  # 安全管理员: roles, and the second opinion on what the others ask for
    AUDIT = "audit"  # 审计管理员: reads what everybody did, and changes nothing


EVERY = frozenset(Role)
_OF_PERSON = Person.subject == Administrator.subject
ABLE = select(Administrator.subject).join(Person, _OF_PERSON).where(Person.status == "active")  # and is not stopped


def demand(call: Call, *roles: Role) -> Role:
    """Return the caller's role if it is one of `roles` (of any, where none is named) and his login is strong enough.

    Raises:
        Problem: forbidden; or what `step_up` asks for.
    """
    held = of(call, call.caller.person or "")
    if held is None or (roles and held not in roles) or call.caller.principal is not None:
        raise Problem("forbidden", "Your account holds no administrator's role for this.")
    step_up.demand(call, Act.ADMINISTER)
    return held


def of(call: Call, subject: str) -> Role | None:
    """Return the role of an account, or None."""
    found = call.session.scalar(select(Administrator.role).where(Administrator.subject == subject))
    return Role(found) if found is not None else None


def give(call: Call, subject: str, role: Role) -> None:
    """Give an account its one role.

    Raises:
        Problem: role_taken.
    """
    if not add_if_new(call.session, Administrator, {"subject": subject, "role": str(role), "given_at": call.now}):
        raise Problem("role_taken", "Take the other role away first.")
    audit.record(call, AdminDeed.ROLE_GIVEN, subject=subject, role=str(role))


def take(call: Call, subject: str) -> None:
    """Take an account's role away, at once.

    Raises:
        Problem: not_found.
    """
    gone = delete(Administrator).where(Administrator.subject == subject).returning(Administrator.role)
    role = call.session.execute(gone).scalar_one_or_none()
    if role is None:
        raise Problem("not_found", "This account holds no administrator's role.")
    audit.record(call, AdminDeed.ROLE_TAKEN, subject=subject, role=role)


def demand_another(call: Call, subject: str, role: Role) -> None:
    """Refuse to take the role from the last account that holds it and is not stopped, or to stop that one.

    Whoever does either to another one of the same role meanwhile waits until this is done, and then looks anew: hence
    two statements. Only the operator takes the last.

    Raises:
        Problem: conflict.
    """
    held = select(Administrator.subject).where(Administrator.role == str(role)).order_by(Administrator.subject)
    call.session.scalars(held.with_for_update()).all()
    if set(call.session.scalars(ABLE.where(Administrator.role == str(role)))) <= {subject}:
        raise Problem("conflict", "Nobody else holds this role: give it to another account first.")


def everybody(call: Call) -> list[Administrator]:
    """Return all administrators; they are few."""
    return list(call.session.scalars(select(Administrator).order_by(Administrator.role, Administrator.subject)))
