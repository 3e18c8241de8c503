"""Issue a licence (签发): record the intent, sign exactly the recorded bytes, rehearse, store.

`intend` and `issue` are two verbs because they are two transactions: what is about to be signed is on record before any
key is used, so that a signature can never exist without a trace of why it was made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice import audit
from idservice.db import table_of
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.oauth.authorization_details import demand
from idservice.register import organisations, people
from keys.ring import Purpose
from keys.sm2 import sm3
from licences import artefacts, catalogue, co_holders, grounds, identifier, intents, metadata, rehearsal
from licences.artefacts import Record
from licences.deeds import Deed
from licences.definition import validate_fields
from licences.detail_types import LICENCE_ISSUE
from licences.formats import sdjwt
from licences.life import stop_issuing
from licences.lifecycle import CHINA_STANDARD_TIME, LIVE, Change, State, local_day
from licences.models import IssueIntent, Licence, LicenceChange, LicenceRoute
from licences.status import entries
from licences.surface import FieldsRefusedError, is_date
from seals.stamp import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from keys.fields import FieldCipher
    from licences.catalogue import Authority, Entry
    from licences.metadata import Holder, Metadata
    from seals.stamp import Stamp

register(
    {
        "holder_unknown": Kind(422, "登记库中没有该持证主体", "The register knows no holder with this number"),
        "holder_kind": Kind(422, "该证照不能颁发给此类主体", "This type is not issued to this kind of holder"),
        "already_held": Kind(409, "持证主体已有一份有效的此类证照", "The holder already has one of this type in force"),
        "second_person_required": Kind(
            409, "此类证照须经另一名人员复核", "For this type a second person must approve it"
        ),
        "ground_unknown": Kind(422, "此变更不能以此为依据", "This change cannot rest on that ground"),
    }
)

MAX_BACKDATED = timedelta(days=36_525)

_CREDENTIAL = ("credential_kid", "credential_signature", "status_place")
_DIFFERING = ("seal_signature", *_CREDENTIAL, "next_identifier", "portion_id", "portion_place")
_INSERT_INTENT = insert(table_of(IssueIntent))
_INSERT_LICENCE = insert(table_of(Licence))
_INSERT_ROUTE = insert(table_of(LicenceRoute))
_INSERT_CHANGE = insert(table_of(LicenceChange))


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be signed, as recorded."""

    intent_id: str
    subject: str
    identifier: str
    seal_id: str
    content: bytes
    type_single: bool
    previous: str | None = None
    state: State = State.VALID


def intend(call: Call, body: dict[str, Any], *, approved: bool = False, ended: bool = False) -> Intent:
    """Check a request for a new licence and record what is about to be signed.

    A sensitive type is issued only where a second person has `approved` it (licences.life.change_requests). One that
    has `ended` at its source, and ends here in the transaction that issues it, is no second one in force.

    Raises:
        Problem: second_person_required, second_person_other (for the officer himself), forbidden, not_found, invalid,
            holder_unknown, holder_kind or already_held; or authorization_details_exceeded, where the token is for other
            types, departments or holders.
    """
    entry = catalogue.find(call, body["type"])
    authority = catalogue.authority(call, entry, body.get("department"))
    if not approved and entry.type.sensitive:
        raise alone()
    named = {"licence_types": entry.type.code, "departments": authority.department}
    demand(call, LICENCE_ISSUE.name, **named, holders=_numbers(body))
    subject, holder = find_holder(call, body["holder"]["number"], entry)
    others = [
        find_holder(call, named_too["number"], entry, at=f"/holders/{place}")
        for place, named_too in enumerate(body.get("holders", [])[1:], 1)
    ]
    beside = [other for _, other in others]
    co_holders.refuse_own(call, [subject, *(other for other, _ in others)])
    co_holders.refuse(entry.type, [holder, *beside])
    single = entry.type.single and not ended
    if single:
        refuse_second(call, subject, entry.type.code)
    code = identifier.build(entry.type.code, authority.department, identifier.new_serial(), 1)
    request, associated = body | {"beside": beside}, body.get("associated")
    stated = state_licence(call, entry, authority, holder, code, request, version=1, previous=associated)
    state = State.UNCOLLECTED if body.get("collect") else State.VALID
    return record_intent(call, subject, authority.seal_id, stated, single=single, state=state)


def alone() -> Problem:
    """Return the refusal of what one person alone may not do with a sensitive type."""
    return Problem("second_person_required", "Ask for it with POST /v1/change-requests; another officer decides.")


def record_intent(
    call: Call,
    subject: str,
    seal_id: str,
    stated: Metadata,
    *,
    single: bool,
    previous: str | None = None,
    state: State = State.VALID,
) -> Intent:
    """Put on record which bytes are about to be sealed and signed.

    Raises:
        Problem: issuing_stopped.
    """
    code, content = stated.identifier, artefacts.content_of(stated)
    named = identifier.parts(code)
    stop_issuing.refuse(call, type_code=named.type_code, department=named.issuer_code)
    intent_id = timed_id(call.now)
    digest = sm3(content)
    row = {"subject": subject, "intent_id": intent_id, "identifier": code, "record_digest": digest, "at": call.now}
    call.connection.execute(_INSERT_INTENT, row)
    audit.record(call, Deed.INTENDED, subject=subject, licence=code, digest=digest.hex())
    return Intent(intent_id, subject, code, seal_id, content, single, previous, state)


def issue(call: Call, intent: Intent) -> Licence:
    """Seal and sign the recorded bytes, rehearse, and store the licence as valid.

    Raises:
        Problem: already_held, seal_not_in_force, seal_certificate_revoked or rehearsal_failed; nothing is stored then.
    """
    if intent.type_single and intent.previous is None:
        lock_holder(call, intent)
        refuse_second(call, intent.subject, identifier.type_code(intent.identifier))
    stamped = stamp(call, seal_id=intent.seal_id, document=intent.content, name=intent.identifier)
    record = Record(intent.content, secrets.token_bytes(sdjwt.SEED_BYTES))
    signer = call.keys.signer(Purpose.LICENCE)
    place = entries.take(call, intent.identifier, intent.state, form="credential")
    unsigned = artefacts.unsigned_credential(
        record,
        issuer=call.settings.signs_as,
        kid=signer.kid,
        issued_at=stamped.sealed_at,
        seal_signature=stamped.signature,
        status=entries.reference(call, place),
    )
    signature = signer.sign(unsigned.signing_input)
    rehearsal.rehearse(call, record, stamped, sdjwt.finish(unsigned, signature), intent.identifier)
    return _store(call, intent, record, stamped, place, signer.kid, signature)


def find_holder(call: Call, number: str, entry: Entry, *, at: str = "/holder") -> tuple[str, Holder]:
    """Return subject and holder (name and number from the register) of a number.

    Raises:
        Problem: invalid, holder_unknown or holder_kind.
    """
    try:
        folded = citizen.check(number) if citizen.is_valid(number) else credit_code.check(number)
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem(f"{at}/number", error.code, str(error))]) from None
    subject = people.find(call, folded)
    if subject is None:
        raise Problem("holder_unknown", "Check the number; holders are enrolled by the registers.")
    person = people.facts(call, subject)
    if person is not None:
        holder = metadata.person(person.name, person.number)
    else:
        organisation = organisations.facts(call, subject)
        if organisation is None:
            raise Problem("holder_unknown", "Check the number; holders are enrolled by the registers.")
        holder = metadata.organisation(organisation.name, organisation.credit_code)
    if not entry.type.accepts(metadata.holder_kind(holder)):
        raise Problem("holder_kind", f"This type is for: {entry.type.holder_kind}.")
    return subject, holder


def state_licence(
    call: Call,
    entry: Entry,
    authority: Authority,
    holder: Holder,
    code: str,
    body: dict[str, Any],
    *,
    version: int,
    previous: str | None,
) -> Metadata:
    """Return what a licence is to state.

    One that was collected says when its source issued it (`issued_on`), and as `previous`, of a first version, which
    identifier it had there.

    Raises:
        Problem: invalid, naming the faulty fields or dates.
    """
    try:
        fields = validate_fields(entry.type, body["fields"])
    except FieldsRefusedError as error:
        faults = [FieldProblem(f"/fields{p.pointer}", p.code, p.message) for p in error.problems]
        raise Problem("invalid", "Some fields of the licence were refused.", errors=faults) from None
    today = local_day(call.now)
    issued_on: date = body.get("issued_on") or today
    valid_from: date = body.get("valid_from") or issued_on
    valid_until: date | None = body["valid_until"] if "valid_until" in body else entry.type.last_day(valid_from)
    _refuse_days(today, issued_on, valid_from, valid_until)
    return metadata.Metadata(
        identifier=code,
        number=body.get("number") or _number(entry, holder, today.year),
        type_code=entry.type.code,
        type_name=entry.type.name,
        version=version,
        holders=(holder, *body.get("beside", ())),
        issuer=metadata.Issuer(authority.name, authority.department, authority.region),
        issued_on=issued_on,
        valid_from=valid_from,
        valid_until=valid_until,
        surface=metadata.surface(entry.type, fields, holder),
        previous=previous,
        demonstration=entry.type.demonstration,
        type_version=entry.version,
        changed=_changed(call, body) if version > 1 else None,
    )


def _refuse_days(today: date, issued_on: date, valid_from: date, valid_until: date | None) -> None:
    """Refuse days that no record can state, before one of many to be sealed together stops all the others."""
    faults = (
        (issued_on > today, "issued_on", "too_late", "issued on a day to come"),
        (valid_until is not None and valid_until < valid_from, "valid_until", "order", "ends before it begins"),
        (not is_date(str(valid_until or today)), "valid_until", "too_late", "after the year 2199"),
        (valid_from < today - MAX_BACKDATED, "valid_from", "too_early", "more than 100 years ago"),
    )
    for applies, name, code, why in faults:
        if applies:
            raise Problem("invalid", "", errors=[FieldProblem(f"/{name}", code, why)])


def _number(entry: Entry, holder: Holder, year: int) -> str:
    return metadata.certificate_number(entry.type, holder=holder, year=year, serial=f"{secrets.randbelow(10**8):08d}")


def _numbers(body: dict[str, Any]) -> list[str]:
    """Return the numbers of everybody who is to stand on the licence, as details of a token name them."""
    return [credit_code.normalise(named["number"]) for named in body.get("holders") or [body["holder"]]]


def _changed(call: Call, body: dict[str, Any]) -> metadata.Changed:
    at = call.now.astimezone(CHINA_STANDARD_TIME).replace(microsecond=0)
    return metadata.Changed(at, body.get("reason") or "")


def lock_holder(call: Call, intent: Intent) -> None:
    """Let one issue at a time decide whether this holder already has the type."""
    key = sm3(f"{intent.subject}|{identifier.type_code(intent.identifier)}".encode())
    if not call.house.database.try_lock(call.session, int.from_bytes(key[:8], "big", signed=True)):
        raise Problem(
            "request_running", "This type is being issued to this holder; retry.", headers={"Retry-After": "1"}
        )


def refuse_second(call: Call, subject: str, type_code: str) -> None:
    """Refuse a second licence in force of a type that says `single`.

    Raises:
        Problem: already_held.
    """
    today = local_day(call.now)
    held = call.session.execute(
        select(Licence.valid_until).where(
            Licence.subject == subject,
            Licence.type_code == type_code,
            Licence.state.in_(LIVE),
        )
    )
    if any(row.valid_until is None or row.valid_until >= today for row in held):
        raise Problem("already_held", "Renew or correct the licence the holder has.")


def _store(
    call: Call, intent: Intent, record: Record, stamped: Stamp, place: int, kid: str, signature: bytes
) -> Licence:
    described = record.metadata
    row = licence_row(
        call.cipher, intent.subject, record, described, seal_id=stamped.seal_id, sealed_at=stamped.sealed_at
    )
    row |= {"state": intent.state, "changed_at": call.now, "seal_signature": stamped.signature}
    row |= {"credential_kid": kid, "credential_signature": signature, "status_place": place}
    row |= {"record_digest": sm3(record.content), "issued_by": call.caller.name_for_log}
    licence, connection = Licence(**row), call.connection
    connection.execute(_INSERT_LICENCE, row)
    connection.execute(_INSERT_ROUTE, {"identifier": intent.identifier, "subject": intent.subject})
    co_holders.store(call, licence, described.holders)
    intents.fulfil(call, intent, row["record_digest"])
    sealed = {"digest": row["record_digest"].hex(), "seal": stamped.seal_id}
    audit.record(call, Deed.ISSUED, subject=intent.subject, licence=intent.identifier, **sealed)
    return licence


def licence_row(
    cipher: FieldCipher, subject: str, record: Record, stated: Metadata, *, seal_id: str, sealed_at: datetime
) -> dict[str, Any]:
    """Return the row of a licence in force, without what differs: its seal's value or portion, and its credential."""
    return {
        "subject": subject,
        "identifier": stated.identifier,
        "type_code": stated.type_code,
        "issuer_code": stated.issuer.code,
        "state": State.VALID,
        "valid_from": stated.valid_from,
        "valid_until": stated.valid_until,
        "issued_at": sealed_at,
        "changed_at": sealed_at,
        "record_sealed": artefacts.seal_record(cipher, stated.identifier, record),
        "record_digest": None,
        "issued_by": None,
        "seal_id": seal_id,
        **dict.fromkeys(_DIFFERING),
    }


def note_change(call: Call, licence: Licence, change: Change, body: dict[str, Any]) -> str:
    """Add one line to the licence's life and return its identifier.

    `body` may have a `reason`, a `ground`, and the day from which the change is `effective_on` at its source.

    Raises:
        Problem: ground_unknown.
    """
    reason, ground = body.get("reason"), body.get("ground")
    rests_on = grounds.ground_of(change, ground)
    if rests_on is None:
        fitting = " ".join(fits.code for fits in grounds.grounds_for(change))
        raise Problem("ground_unknown", f"For {change} name one of: {fitting}.")
    change_id, table, column = timed_id(call.now), "licence_change", "reason_sealed"
    row = {
        "subject": licence.subject,
        "identifier": licence.identifier,
        "change_id": change_id,
        "change": str(change),
        "state": str(licence.state),
        "ground": rests_on.code,
        column: call.cipher.seal(reason.encode(), table=table, column=column, row=change_id) if reason else None,
        "actor": call.caller.name_for_log,
        "at": call.now,
        "effective_on": body.get("effective_on"),
    }
    call.connection.execute(_INSERT_CHANGE, row)
    return change_id
