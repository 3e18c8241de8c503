"""Who asks at a counter, and in whose name (用证机构与经办人): the part of every look that its holder will read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from idservice.call import Post
from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.models import Department, Person, Staff
from idservice.numbers import InvalidNumber, citizen
from idservice.numbers.names import mask_name
from idservice.register import people
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {
        "operator_unknown": Kind(
            403, "经办人不在该单位的窗口岗位上", "The operator holds no counter post in this department"
        ),
        "operator_required": Kind(403, "缺少经办人", "The operator is missing"),
    }
)

_staff, _departments, _people = table_of(Staff).c, table_of(Department).c, table_of(Person).c
_POSTS = Statement(
    select(_staff.department, _staff.counter, _departments.name.label("unit"), _people.name_sealed, _people.status)
    .join_from(table_of(Staff), table_of(Department), _departments.credit_code == _staff.department)
    .join(table_of(Person), _people.subject == _staff.subject)
    .where(_staff.subject == bindparam("subject"), _staff.role == Post.CLERK.value)
    .order_by(_staff.department)
)
_UNIT = Statement(select(_departments.name).where(_departments.credit_code == bindparam("code")))


@dataclass(frozen=True, slots=True)
class Asker:
    """The unit and the person at the counter. `operator` is a subject, None for a system without a clerk."""

    who: str
    unit: str
    department: str | None
    operator: str | None
    counter: str | None
    purpose: str | None
    client: str | None = None
    is_public: bool = False

    @property
    def shown_to_holder(self) -> str:
        """Return what the holder's screen says at once: unit and window."""
        return " ".join(part for part in (self.unit, self.counter) if part)[:300]

    def facts(self, **more: Any) -> dict[str, Any]:
        """Return the facts of an access record."""
        return {"who": self.who, "unit": self.shown_to_holder, "purpose": self.purpose, **more}


ANYBODY = Asker("公众 / the public", "公开核验 / public check", None, None, None, None, is_public=True)
"""A visitor of the public page: he sees the state and a masked summary, and uses up no code."""


def of_call(call: Call, body: dict[str, Any]) -> Asker:
    """Return who asks: the clerk who is logged in, or the system with the operator it names, if any.

    Raises:
        Problem: operator_unknown, if the named operator has no counter post the caller may speak for; forbidden.
    """
    named = body.get("operator")
    if call.caller.person is not None:
        return _clerk(call, call.caller.person, body, counter=call.caller.counter)
    if named and named.get("id_number"):
        subject = _subject(call, named["id_number"])
        return _clerk(call, subject, body, counter=named.get("counter"))
    department = body.get("department")
    if department is not None and not call.caller.may_act_for(department, Post.CLERK):
        raise Problem("forbidden", "You may not act for that department.")
    unit = unit_name(call, department) if department else call.caller.client_name or ""
    name = call.caller.client_name or call.caller.client_id or ""
    return Asker(name, unit, department, None, None, body.get("purpose"), call.caller.client_id)


def _clerk(call: Call, subject: str | None, body: dict[str, Any], *, counter: str | None) -> Asker:
    posts = _POSTS.rows(call.connection, {"subject": subject or ""})
    wanted = body.get("department")
    post = next(
        (p for p in posts if wanted in {None, p.department} and call.caller.may_act_for(p.department, Post.CLERK)), None
    )
    if subject is None or post is None or post.status != "active":
        raise Problem("operator_unknown", "Name an operator who holds a counter post in your department.")
    return Asker(
        who=mask_name(people.open_name(call, subject, post.name_sealed)),
        unit=post.unit,
        department=post.department,
        operator=subject,
        counter=counter or post.counter,
        purpose=body.get("purpose"),
        client=call.caller.client_id,
    )


def _subject(call: Call, number: str) -> str | None:
    try:
        return people.find(call, citizen.check(number))
    except InvalidNumber:
        return None


def unit_name(call: Call, department: str) -> str:
    """Return the name of the department with that credit code; empty where there is none."""
    found = _UNIT.first(call.connection, {"code": department})
    return str(found.name) if found is not None else ""
