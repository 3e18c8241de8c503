"""Who keeps a seal and who may use it, for what (印章保管与用印授权). Checked here and nowhere else.

A department's seal that names nobody may be used by every officer and by the programs that act for it, an
organisation's by its legal representative and those administrators whose mandate reaches seals. As soon as somebody is
named, only who is named may, and as long as it says. A person's name seal is his alone. Whoever uses a seal that is no
department's logs in with two factors for it, and no program does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice import audit
from idservice.call import Post
from idservice.db import add_if_new
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.models import Client, Staff
from idservice.numbers import InvalidNumber, citizen
from idservice.numbers.names import mask_name
from idservice.register import people
from seals import contents, owners, standing
from seals.deeds import Deed
from seals.lifecycle import State
from seals.models import SealUser
from seals.owner_kinds import OwnerKind

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from seals.models import Owned, Seal

register(
    {
        "seal_use_not_permitted": Kind(403, "未获授权使用这枚印章", "You are not among those who may use this seal"),
        "seal_purpose_not_permitted": Kind(409, "这枚印章不得用于此用途", "The seal may not be used for this purpose"),
        "seal_change_not_allowed": Kind(409, "印章当前状态不允许此变更", "The seal's state does not allow this change"),
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
        raise Problem("seal_name_changed", "The seal bears a former name of its owner and has to be retired.")


def demand_login(call: Call, seal: Seal) -> None:
    """Have whoever announces the use of an organisation's or a person's seal show a second factor for it.

    Raises:
        StepUpNeeded, Problem: as `step_up.demand`.
    """
    if seal.owner_kind is not OwnerKind.DEPARTMENT:
        step_up.demand(call, Act.USE_SEAL)


def may_use(call: Call, seal: Seal) -> bool:
    """Return whether the caller, who is on the owner's side, may use the seal at this instant."""
    if seal.owner_kind is OwnerKind.PERSON:
        return standing.owns(call, seal)
    if seal.owner_kind is OwnerKind.ORGANISATION and standing.mandate_for(call, seal.organisation or "") is None:
        return False
    named = {user.who: user.until for user in call.session.scalars(_users(seal.seal_id))}
    if not named:
        return seal.owner_kind is OwnerKind.DEPARTMENT or standing.leads(call, seal.organisation or "")
    who = call.caller.name_for_log
    return who in named and (named[who] is None or call.now <= named[who])


def bears_name(call: Call, seal: Seal) -> bool:
    """Return whether the seal bears its owner's present name, and he is what it says."""
    return outdated(call, seal) is None


def outdated(call: Call, seal: Seal) -> str | None:
    """Return why the seal has to be retired, in words for the register; None where nothing changed."""
    return owners.outdated(call, seal, contents.bears(call, seal))


def permit(call: Call, seal: Seal, who: str, *, until: datetime | None) -> dict[str, Any]:
    """Name somebody who may use a seal, or, with an `until` that has come, end that; return who and until when.

    Args:
        call: of the keeper, where there is one, else of any officer of the department or who leads the
            organisation, or of the operator.
        seal: found for this caller.
        who: a citizen number, or the client_id of a program that acts for the department that owns the seal.
        until: the last instant; None: no end.

    Raises:
        Problem: seal_use_not_permitted, seal_change_not_allowed or invalid.
    """
    if seal.owner_kind is OwnerKind.PERSON:
        raise Problem("seal_use_not_permitted", "A name seal is used by its person alone; nobody else is named.")
    _refuse_other_than_keeper(call, seal)
    if seal.state not in {State.IN_FORCE, State.SUSPENDED}:
        raise Problem("seal_change_not_allowed", f"The seal is {seal.state}.")
    name = _named(call, who, seal)
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


def member(call: Call, number: str, owner: Owned, pointer: str) -> str:
    """Return the subject of somebody who may keep or use a seal: an officer, or who acts for the organisation.

    Raises:
        Problem: invalid, whether the number is none, is unknown, or is another's: an answer tells nothing of people.
    """
    try:
        subject = people.find(call, citizen.check(number))
    except InvalidNumber:
        subject = None
    if subject is None or not _belongs(call, subject, owner):
        message = "This is no number of an officer of the department, or of somebody who acts for the organisation."
        raise Problem("invalid", "", errors=[FieldProblem(pointer, "unknown", message)])
    return subject


def _belongs(call: Call, subject: str, owner: Owned) -> bool:
    match owner.owner_kind:
        case OwnerKind.DEPARTMENT:
            return call.session.get(Staff, (subject, owner.department, Post.OFFICER)) is not None
        case OwnerKind.ORGANISATION:
            return standing.is_member(call, subject, owner.organisation or "")
        case OwnerKind.PERSON:
            return subject == owner.person


def shown_as(call: Call, who: str) -> str:
    """Return a person's masked name or a program's name for `person:...` or `client:...`."""
    kind, _, name = who.partition(":")
    if kind == "client":
        client = call.session.get(Client, name)
        return client.name if client is not None else name
    facts = people.facts(call, name)
    return mask_name(facts.name) if facts is not None else "***"


def _named(call: Call, who: str, seal: Seal) -> str:
    client = call.session.get(Client, who) if who.isascii() and who.isprintable() else None
    if client is not None and seal.department is not None and {seal.department, "*"} & set(client.departments):
        return f"client:{who}"
    return f"person:{member(call, who, seal, '/who')}"


def _refuse_other_than_keeper(call: Call, seal: Seal) -> None:
    if standing.is_operator(call) or (seal.custodian is not None and call.caller.person == seal.custodian):
        return
    if seal.custodian is not None or (
        seal.owner_kind is OwnerKind.ORGANISATION and not standing.leads(call, seal.organisation or "")
    ):
        raise Problem("seal_use_not_permitted", "The keeper of the seal names who may use it.")


def _users(seal_id: str) -> Any:
    return select(SealUser).where(SealUser.seal_id == seal_id)
