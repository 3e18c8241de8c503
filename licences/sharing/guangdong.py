"""Use of licences by authorisation codes (用证), as Guangdong's systems call it (DB44/T 2167.3).

`auth`: a clerk, fully named, by his duty and a provision the matter names (依职能查验). `holder`: the holder, logged in
to the app (网上申办用证). `entrust`: whoever holds his mandate (委托授权用证). Each gets a code for every licence that
the matter needs and the app may read; the codes are read once each, and every reading is on the holder's record.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.errors import FieldProblem, Problem
from idservice.numbers.names import mask_name
from idservice.register import mandates, people
from licences import artefacts, asker, catalogue, view
from licences.asker import Asker
from licences.change import find_held
from licences.counter import applicant, authorisation_codes, clerk, legal_grounds, matters
from licences.counter.authorisation_codes import Mode
from licences.counter.claimed_values import Form, agrees
from licences.guard import touches
from licences.guard.admit import admit
from licences.lifecycle import State
from licences.models import Licence
from licences.sharing import annotated, auth_codes, data, files, links, looks, permissions
from licences.sharing.annotated import MAX_PURPOSE, CopyForm
from licences.sharing.auth_codes import Issued, Opened, Step
from licences.sharing.looks import BY_LAW, Reader
from licences.sharing.permissions import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call
    from licences.counter.matter_definition import Matter
    from licences.sharing.annotated import Annotated

VALID_FOR: Final = timedelta(days=7)
_BASES: Final = {Mode.AUTH: BY_LAW, Mode.HOLDER: "consent", Mode.ENTRUST: "mandate"}


def service_items(call: Call, org_code: str) -> list[dict[str, Any]]:
    """Return the matters that a unit handles, and the types of licence each needs."""
    kinds = catalogue.entries(call)
    return [
        {
            "service_item_code": matter.code,
            "service_item_name": matter.name,
            "licenses": [{"license_item_code": code, "name": kinds[code].type.name} for code in sorted(matter.types)],
        }
        for matter in matters.entries(call).values()
        if matter.unit_code == org_code
    ]


def authorise_by_duty(call: Call, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Make codes for a clerk of the unit that handles the matter, by a provision it names; the holder is told.

    Raises:
        Problem: what `clerk.demand`, `legal_grounds.demand` and `admit` refuse; operator_unknown, also where the clerk
            bears another name; sharing_refused; invalid; not_found, for the matter.
    """
    with touches.watched(call, _said(body), body["identity_number"]):
        matter = _matter(call, body)
        who = _operator(call, body, matter)
        ground = legal_grounds.demand(matter, who, body.get("legal_basis") or _only_ground(matter))
        permitted = _permitted(call, matter)
        whom = applicant.find(call, body["identity_number"], "/identity_number")
    known = whom.subject if whom.known else None
    admit(call, who, matter=matter.code, subject=known, number=whom.number, by_law=True)
    reader = _reader(replace(permitted[0], ground=legal_grounds.text(ground)), matter, who)
    looks.put_on_record(call, reader, whom.subject, fields=["licence_identifier"], operation=Operation.FIND)
    whose = {"subject": whom.subject, "department": who.department, "ground": ground.code}
    held = _held(call, whom.subject, (one.type_code for one in permitted))
    return _told(call, _issue(call, Mode.AUTH, matter, whose, body, held, who))


def authorise_as_holder(call: Call, body: dict[str, Any], mode: Mode) -> list[dict[str, Any]]:
    """Make codes for the licences of whoever is logged in to the app, or of the principal whose mandate he holds.

    Raises:
        Problem: what `authorisation_codes.for_whom` refuses; sharing_refused; invalid.
    """
    matter = _matter(call, body)
    subject, agent, mandate = authorisation_codes.for_whom(call, body | {"mode": str(mode)}, matter)
    permitted = _permitted(call, matter)
    client = call.caller.client_id or ""
    unit = asker.unit_name(call, permitted[0].department)
    purpose = _purpose(matter, body["biz_num"])
    name = call.caller.client_name or client
    who = Asker(name, unit, permitted[0].department, f"app:{client}", None, purpose, client)
    whose = {"subject": subject, "department": who.department, "agent": agent, "mandate": mandate}
    held = _held(call, subject, (one.type_code for one in permitted))
    return _told(call, _issue(call, mode, matter, whose, body, held, who))


def read(call: Call, code: str) -> dict[str, Any]:
    """Return what the licence of a code states, as far as its matter needs it.

    Raises:
        Problem: auth_code_refused; sharing_refused; what `admit` refuses; licence_not_in_force.
    """
    reader, licence = _opened(call, auth_codes.redeem(call, code, Step.READ), Operation.READ)
    fields = sorted(reader.permission.fields)
    looks.put_on_record(
        call, reader, licence.subject, fields=fields, operation=Operation.READ, licence=licence.identifier
    )
    return data.told(call, reader, licence, artefacts.open_record(call, licence))


def view_token(call: Call, code: str) -> dict[str, Any]:
    """Return a link at which the annotated copy can be looked at, once.

    Raises:
        Problem: see `archive`.
    """
    link = links.put(call, _copy(call, code, Step.VIEW, CopyForm.PDF))
    return {"license_access_token": link.secret, "view_url": link.url, "expires_at": link.expires_at.isoformat()}


def archive(call: Call, code: str) -> dict[str, Any]:
    """Return the annotated copy in base64.

    Raises:
        Problem: what `read` and `annotated.make` refuse.
    """
    copy = _copy(call, code, Step.FILE, CopyForm.OFD)
    return files.told(copy) | {"file_name": copy.file_name, "file_data": base64.b64encode(copy.content).decode()}


def _copy(call: Call, code: str, step: Step, form: CopyForm) -> Annotated:
    reader, licence = _opened(call, auth_codes.redeem(call, code, step), Operation.DOWNLOAD)
    looks.put_on_record(
        call, reader, licence.subject, fields=["document"], operation=Operation.DOWNLOAD, licence=licence.identifier
    )
    purpose = reader.who.purpose or ""
    expires_at = call.now + VALID_FOR
    return annotated.make(call, licence, form=form, purpose=purpose, asked_by=reader.printed, expires_at=expires_at)


def _opened(call: Call, opened: Opened, operation: Operation) -> tuple[Reader, Licence]:
    """Return who reads the licence of a code, and the licence, where all that the code rests on still holds."""
    licence = find_held(call, opened.subject, opened.identifier)
    matter = matters.entries(call).get(opened.matter)
    if licence is None or matter is None or licence.type_code not in matter.types:
        raise Problem("auth_code_refused", "Ask for a new one.")
    permission, acting = permissions.demand(call, licence.type_code, operation), None
    if opened.mode is Mode.AUTH:
        ground = legal_grounds.demand(matter, opened.asker, opened.ground or "")
        permission = replace(permission, ground=legal_grounds.text(ground))
    elif opened.agent is not None:
        acting = _acting(call, opened, licence.type_code)
    reader = replace(_reader(permission, matter, opened.asker), basis=_BASES[opened.mode], acting=acting)
    found = looks.named(call, reader, licence.identifier)
    if found is None or view.state(call, licence) is not State.VALID:
        raise Problem("licence_not_in_force", f"The licence is: {view.state(call, licence)}.")
    return reader, licence


def _acting(call: Call, opened: Opened, type_code: str) -> str:
    """Return the masked name of the agent, whose mandate still holds and reaches the matter and the licence.

    Raises:
        Problem: auth_code_refused.
    """
    agent = opened.agent or ""
    facts, live = people.facts(call, agent), mandates.find_live(call, agent, opened.mandate or "")
    reaches = live is not None and all(
        not named or wanted in named
        for named, wanted in ((live.matters, opened.matter), (live.licence_types, type_code))
    )
    if facts is None or not reaches:
        raise Problem("auth_code_refused", "Ask for a new one.")
    return mask_name(facts.name)


def _reader(permission: permissions.Permission, matter: Matter, who: Asker) -> Reader:
    """Return who reads for a matter: the fields are those of the matter that the code was made for."""
    fields = permissions.fields_of(matter, permission.type_code)
    return Reader(who, replace(permission, matter=matter.code, fields=fields))


def _matter(call: Call, body: dict[str, Any]) -> Matter:
    """Return the matter of a request; its name, where it is given, has to be its own."""
    matter = matters.entries(call).get(body["service_item_code"])
    if matter is None:
        raise Problem("invalid", "", errors=[FieldProblem("/service_item_code", "unknown", "no such matter")])
    if body.get("service_item_name") not in {None, matter.name}:
        raise Problem("invalid", "", errors=[FieldProblem("/service_item_name", "choice", "not its name")])
    return matter


def _operator(call: Call, body: dict[str, Any], matter: Matter) -> Asker:
    """Return the clerk who asks: his number has a post in that unit, and he is called what the request calls him."""
    purpose = _purpose(matter, body["biz_num"])
    who = clerk.demand(call, _said(body) | {"purpose": purpose, "case_number": body["biz_num"]})
    facts = people.facts(call, who.operator or "")
    if not agrees(Form.NAME, facts.name if facts is not None else None, body["operator"]["name"]):
        raise Problem("operator_unknown", "The operator bears another name.")
    return who


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """Return who asks for what, in the words of our own interface."""
    clerk_named = body["operator"]
    named = {"id_number": clerk_named["identity_num"], "counter": clerk_named["role"]}
    return {"operator": named, "department": clerk_named["service_org"], "matter": body["service_item_code"]}


def _only_ground(matter: Matter) -> str:
    return matter.grounds[0].code if len(matter.grounds) == 1 else ""


def _purpose(matter: Matter, case_number: str) -> str:
    return f"{matter.name}（办件编号 {case_number}）"[:MAX_PURPOSE]


def _permitted(call: Call, matter: Matter) -> list[permissions.Permission]:
    """Return the caller's permissions to read what a matter needs.

    Raises:
        Problem: sharing_refused, where there is none.
    """
    found = [one for one in permissions.held(call, Operation.READ) if one.type_code in matter.types]
    if not found:
        raise Problem("sharing_refused", "Ask the administrators of sharing for it.")
    return found


def _held(call: Call, subject: str, types: Iterable[str]) -> list[Licence]:
    mine = (Licence.subject == subject, Licence.type_code.in_(list(types)), Licence.state == State.VALID)
    rows = call.session.scalars(select(Licence).where(*mine).order_by(Licence.identifier).limit(data.MOST))
    return [row for row in rows if view.state(call, row) is State.VALID]


def _issue(
    call: Call, mode: Mode, matter: Matter, whose: dict[str, Any], body: dict[str, Any], held: list[Licence], who: Asker
) -> list[Issued]:
    return auth_codes.issue(call, mode, matter, whose, case_number=body["biz_num"], licences=held, who=who)


def _told(call: Call, issued: list[Issued]) -> list[dict[str, Any]]:
    """Return codes with the type of the licence each opens, and nothing else of it."""
    return [
        {
            "auth_code": one.code,
            "license_item_code": one.licence.type_code,
            "name": catalogue.find(call, one.licence.type_code).type.name,
            "expires_in": int(authorisation_codes.LIFE.total_seconds()),
        }
        for one in issued
    ]
