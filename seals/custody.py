"""Who keeps a seal and who may use it, for what (印章保管与用印授权). Checked here and nowhere else.

A seal that names nobody may be used by every officer of its department and by the programs that act for it. As soon as
somebody is named, only who is named may, and as long as it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice import audit
from idservice.call import Post
from idservice.db import add_if_new
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.models import Client, Department, Staff
from idservice.numbers import InvalidNumber, citizen
from idservice.numbers.names import mask_name
from idservice.register import people
from keys.certificates import parse
from seals.deeds import Deed
from seals.lifecycle import State
from seals.models import Seal, SealUser

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call

register(
    {
        "seal_use_not_permitted": Kind(403, "未获授权使用这枚印章", "You are not among those who may use this seal"),
        "seal_purpose_not_permitted": Kind(409, "这枚印章不得用于此用途", "The seal may not be used for this purpose"),
        "seal_name_changed": Kind(409, "单位已更名，须另行申请", "The unit's name has changed: apply anew"),
    }
)


def refuse_use(call: Call, seal: Seal, purpose: str) -> None:
    """Refuse a use by somebody not named, for something not named, or of a seal that bears a former name.

    Raises:
        Problem: seal_use_not_permitted, seal_purpose_not_permitted or seal_name_changed.
    """
    if not may_use(call, seal):
        raise Problem("seal_use_not_permitted", "The keeper of the seal names who may use it.")
    if seal.purposes is not None and purpose not in seal.purposes:
        raise Problem("seal_purpose_not_permitted", f"It may be used for: {', '.join(seal.purposes)}.")
    if not bears_name(call, seal):
        raise Problem("seal_name_changed", "The seal bears a former name of the department and has to be retired.")


def may_use(call: Call, seal: Seal) -> bool:
    """Return whether the caller may use the seal at this instant; that he acts for its department is found earlier."""
    named = {user.who: user.until for user in call.session.scalars(_users(seal.seal_id))}
    if not named:
        return True
    who = call.caller.name_for_log
    return who in named and (named[who] is None or call.now <= named[who])


def bears_name(call: Call, seal: Seal) -> bool:
    """Return whether the seal bears the department's present name."""
    unit = call.session.get(Department, seal.department)
    return unit is not None and parse(seal.signer_certificate).common_name == unit.name


def permit(call: Call, seal: Seal, who: str, *, until: datetime | None) -> dict[str, Any]:
    """Name somebody who may use a seal, or, with an `until` that has come, end that; return who and until when.

    Args:
        call: of the keeper, where there is one, else of any officer of the department, or of the operator.
        seal: found for this caller.
        who: a citizen number, or the client_id of a program that acts for the department.
        until: the last instant; None: no end.

    Raises:
        Problem: seal_use_not_permitted, seal_change_not_allowed or invalid.
    """
    _refuse_other_than_keeper(call, seal)
    if seal.state not in {State.IN_FORCE, State.SUSPENDED}:
        raise Problem("seal_change_not_allowed", f"The seal is {seal.state}.")
    name = _named(call, who, seal.department)
    write_user(call, seal.seal_id, name, until=until)
    audit.record(call, Deed.USER_NAMED, seal=seal.seal_id, user=name, until=until.isoformat() if until else None)
    return {"seal": seal.seal_id, "who": shown_as(call, name), "until": until, "at": call.now}


def users(call: Call, seal_id: str) -> list[dict[str, Any]]:
    """Return who is named, people's names masked."""
    rows = call.session.scalars(_users(seal_id).order_by(SealUser.named_at, SealUser.who))
    return [{"who": shown_as(call, row.who), "until": row.until} for row in rows]


def write_user(call: Call, seal_id: str, who: str, *, until: datetime | None) -> None:
    """Enter somebody who may use the seal, or change until when."""
    row = {"until": until, "named_by": call.caller.name_for_log, "named_at": call.now}
    if not add_if_new(call.session, SealUser, {"seal_id": seal_id, "who": who, **row}):
        found = call.session.get_one(SealUser, (seal_id, who))
        found.until, found.named_by, found.named_at = until, call.caller.name_for_log, call.now


def officer(call: Call, number: str, department: str, pointer: str) -> str:
    """Return the subject of an officer of the department.

    Raises:
        Problem: invalid, whether the number is none, is unknown, or is another's: an answer tells nothing of people.
    """
    try:
        subject = people.find(call, citizen.check(number))
    except InvalidNumber:
        subject = None
    post = (subject, department, Post.OFFICER)
    if subject is None or call.session.get(Staff, post) is None:
        message = "This is no number of an officer of the department."
        raise Problem("invalid", "", errors=[FieldProblem(pointer, "unknown", message)])
    return subject


def shown_as(call: Call, who: str) -> str:
    """Return a person's masked name or a program's name for `person:...` or `client:...`."""
    kind, _, name = who.partition(":")
    if kind == "client":
        client = call.session.get(Client, name)
        return client.name if client is not None else name
    facts = people.facts(call, name)
    return mask_name(facts.name) if facts is not None else "***"


def _named(call: Call, who: str, department: str) -> str:
    client = call.session.get(Client, who) if who.isascii() and who.isprintable() else None
    if client is not None and {department, "*"} & set(client.departments):
        return f"client:{who}"
    return f"person:{officer(call, who, department, '/who')}"


def _refuse_other_than_keeper(call: Call, seal: Seal) -> None:
    operator = call.caller.channel == "cli" and call.caller.all_departments
    if seal.custodian is not None and not operator and call.caller.person != seal.custodian:
        raise Problem("seal_use_not_permitted", "The keeper of the seal names who may use it.")


def _users(seal_id: str) -> Any:
    return select(SealUser).where(SealUser.seal_id == seal_id)
