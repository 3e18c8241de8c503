"""Change a licence (变更): suspend, resume, revoke, cancel, and the two that issue a next version: renew, correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, select, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.numbers import InvalidNumber
from idservice.statement import Statement
from licences import acting, artefacts, catalogue, co_holders, identifier, issue, lifecycle
from licences.collection import source_identifiers
from licences.deeds import Deed
from licences.lifecycle import Change, LifecycleError, Party, State
from licences.models import Licence, LicenceRoute
from licences.status import entries

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {
        "change_unknown": Kind(422, "没有这种变更", "There is no such change"),
        "change_not_allowed": Kind(409, "证照当前状态不允许此变更", "The licence's state does not allow this change"),
        "terminal": Kind(409, "证照已终止，不能再变更", "The licence has ended and cannot be changed"),
        "reason_required": Kind(422, "此变更需要说明理由", "This change needs a reason"),
        "version_last": Kind(
            409, "版本号已用尽，请重新签发", "There is no further version number: issue a new licence"
        ),
        "licence_not_in_force": Kind(
            409, "证照已暂停、终止或被替换，不提供此文件", "The licence is suspended or has ended: no copy is given out"
        ),
        "not_entitled": Kind(403, "您不能对此证照作此变更", "You may not make this change"),
    }
)


_routes = table_of(LicenceRoute).c
_ROUTE = Statement(select(_routes.subject).where(_routes.identifier == bindparam("code")))
_licences = table_of(Licence)
_LICENCE = Statement(
    select(_licences).where(_licences.c.subject == bindparam("subject"), _licences.c.identifier == bindparam("code"))
)


def find(call: Call, code: str) -> Licence:
    """Return the licence with that identifier.

    Raises:
        Problem: not_found.
    """
    try:
        licence = find_any(call, identifier.check(code))
    except InvalidNumber:
        licence = None
    if licence is None:
        raise Problem("not_found", "The register holds no such licence.")
    return licence


def find_any(call: Call, code: str) -> Licence | None:
    """Return the licence with that identifier, in the form in which it was issued, or None.

    Of one that was collected, the identifier that its source gave it leads to it too.
    """
    route = _ROUTE.first(call.connection, {"code": code})
    if route is None and (ours := source_identifiers.find(call, code)) is not None:
        code = ours
        route = _ROUTE.first(call.connection, {"code": code})
    return find_held(call, route.subject, code) if route is not None else None


def find_held(call: Call, subject: str, code: str) -> Licence | None:
    """Return the licence of that holder with that identifier, or None: as it is now, to be read and not to be set."""
    row = _LICENCE.first(call.connection, {"subject": subject, "code": code})
    return cast("Licence | None", row)  # a row of the table reads like the model


def find_readable(call: Call, code: str) -> Licence:
    """Return the licence if the caller stands on it or acts for its issuer; else it is as if there were none.

    Raises:
        Problem: not_found.
    """
    licence = find(call, code)
    if co_holders.holds(call, licence) and acting.reach(call).covers(licence.type_code):
        return licence  # asked first: an officer reads his own as every holder does, by his own login
    if not catalogue.is_issuer(call, licence.issuer_code):
        raise Problem("not_found", "The register holds no such licence.")
    return licence


def intend(call: Call, code: str, body: dict[str, Any], *, approved: bool = False) -> issue.Intent | None:
    """For a change that issues a next version, record what is about to be signed; None for the others.

    Of a sensitive type most changes are made only where a second person has `approved` them.

    Raises:
        Problem: see `change`.
    """
    licence, change, _party = admitted(call, code, body, approved=approved)
    if not lifecycle.TABLE[change].new_version:
        return None
    entry = catalogue.find(call, licence.type_code)
    authority = next((a for a in entry.authorities if a.department == licence.issuer_code), None)
    if authority is None:
        raise Problem("forbidden", "The issuing department no longer issues this type.")
    old = artefacts.open_record(call, licence).metadata
    _, holder = issue.find_holder(call, old.holders[0].code, entry)
    parts = identifier.parts(licence.identifier)
    version = parts.version + 1
    if version > 999:
        raise Problem("version_last")
    new = identifier.build(parts.type_code, parts.issuer_code, parts.serial, version)
    known = {field.name for field in entry.type.fields}  # the type may have a later version
    fields = {name: value for name, value in old.surface.items() if name in known}
    beside = [issue.find_holder(call, other.code, entry)[1] for other in old.holders[1:]]
    request = {"number": old.number, "fields": fields | (body.get("fields") or {}), **_dates(old, change, body)}
    request |= {"reason": body.get("reason"), "beside": beside, "issued_on": body.get("issued_on")}
    old_code = licence.identifier
    stated = issue.state_licence(call, entry, authority, holder, new, request, version=version, previous=old_code)
    return issue.record_intent(call, licence.subject, authority.seal_id, stated, single=False, previous=old_code)


def change(
    call: Call, code: str, body: dict[str, Any], prepared: issue.Intent | None, *, approved: bool = False
) -> dict[str, Any]:
    """Carry a change out and return what it did.

    Raises:
        Problem: not_found, change_unknown, not_entitled, change_not_allowed, terminal, reason_required, ground_unknown,
            second_person_required; or second_person_other, where an officer changes a licence of his own.
    """
    licence, deed, party = admitted(call, code, body, approved=approved)
    target = _apply(State(licence.state), deed, party, body.get("reason"))
    if lifecycle.TABLE[deed].new_version is not (prepared is not None):
        raise Problem("conflict", "The licence changed while the request ran; repeat it.")
    licence = _move(call, licence, target, next_identifier=prepared.identifier if prepared else None)
    change_id = issue.note_change(call, licence, deed, body)
    facts = {"licence": licence.identifier, "change": str(deed), "state": str(target)}
    audit.record(call, Deed.CHANGED, subject=licence.subject, **facts)
    current = issue.issue(call, prepared) if prepared else licence
    return {"id": change_id, "change": deed, "licence": current, "at": call.now}


def _move(call: Call, licence: Licence, target: State, *, next_identifier: str | None) -> Licence:
    """Take a licence to its next stored state, unless somebody else has moved it since it was read; return it anew."""
    moved = call.session.execute(
        update(Licence)
        .where(
            Licence.subject == licence.subject,
            Licence.identifier == licence.identifier,
            Licence.state == licence.state,
        )
        .values(state=target, changed_at=call.now, next_identifier=next_identifier)
        .returning(Licence.identifier)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    current = find_held(call, licence.subject, licence.identifier) if moved is not None else None
    if current is None:
        raise Problem("conflict", "The licence changed while the request ran; repeat it.")
    entries.follow(call, licence.identifier, target)
    return current


def admitted(call: Call, code: str, body: dict[str, Any], *, approved: bool = False) -> tuple[Licence, Change, Party]:
    """Return the licence, the change and in what part the caller makes it, if all that can be told ahead allows it.

    Raises:
        Problem: see `change`.
    """
    licence = find_readable(call, code)
    try:
        deed = lifecycle.parse_change(body["change"])
    except LifecycleError as error:
        raise Problem(error.code, str(error)) from None
    party = _party(call, licence, deed)
    if party is Party.ISSUER:
        co_holders.refuse_own_licence(call, licence)
    _apply(State(licence.state), deed, party, body.get("reason"))
    if not approved and takes_two(call, licence, deed, by=party):
        raise issue.alone()
    return licence, deed, party


def _party(call: Call, licence: Licence, deed: Change) -> Party:
    """Return in what part the caller changes a licence: an officer does with his own what every holder may."""
    his = _is_his(call, licence)
    if his and Party.HOLDER in lifecycle.TABLE[deed].parties:
        return Party.HOLDER
    if catalogue.is_issuer(call, licence.issuer_code):
        return Party.ISSUER
    if not his:
        raise Problem("not_entitled", "The first holder alone has this licence changed.")
    return Party.HOLDER


def _is_his(call: Call, licence: Licence) -> bool:
    return licence.subject == call.caller.holder


def takes_two(call: Call, licence: Licence, deed: Change, *, by: Party = Party.ISSUER) -> bool:
    """Return whether a second person must approve a change of a licence, because its type is sensitive."""
    return catalogue.find(call, licence.type_code).type.sensitive and lifecycle.needs_second_person(deed, by=by)


def _apply(state: State, deed: Change, party: Party, reason: str | None) -> State:
    try:
        return lifecycle.apply(state, deed, by=party, reason=reason)
    except LifecycleError as error:
        raise Problem(error.code, str(error)) from None


def _dates(old: Any, change: Change, body: dict[str, Any]) -> dict[str, Any]:
    """Return the dates of the next version: a renewal starts anew, all others keep the old ones; no end is None."""
    given: dict[str, Any] = {name: body[name] for name in ("valid_from", "valid_until") if name in body}
    if change is not Change.RENEW:
        return {"valid_from": old.valid_from, "valid_until": old.valid_until} | given
    return given
