"""Who asks at a counter, and in whose name (用证机构与经办人): the part of every look that its holder will read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice.call import Post
from idservice.errors import Kind, Problem, register
from idservice.models import Department, Staff
from idservice.numbers import InvalidNumber, citizen
from idservice.numbers.names import mask_name
from idservice.register import people

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
    posts = call.session.scalars(select(Staff).where(Staff.subject == subject, Staff.role == "clerk")).all()
    wanted = body.get("department")
    post = next(
        (p for p in posts if wanted in {None, p.department} and call.caller.may_act_for(p.department, Post.CLERK)), None
    )
    facts = people.facts(call, subject) if subject is not None else None
    if post is None or facts is None or facts.status != "active":
        raise Problem("operator_unknown", "Name an operator who holds a counter post in your department.")
    return Asker(
        who=mask_name(facts.name),
        unit=unit_name(call, post.department),
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
    found = call.session.get(Department, department)
    return found.name if found is not None else ""
