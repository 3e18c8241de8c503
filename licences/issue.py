"""Issue a licence (签发): record the intent, sign exactly the recorded bytes, rehearse, store.

`intend` and `issue` are two verbs because they are two transactions: what is about to be signed is on record before any
key is used, so that a signature can never exist without a trace of why it was made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.oauth.authorization_details import demand
from idservice.register import organisations, people
from keys.ring import Purpose
from keys.sm2 import sm3
from keys.verdict import Result
from licences import artefacts, catalogue, co_holders, grounds, identifier, metadata
from licences.artefacts import Record
from licences.deeds import Deed
from licences.definition import validate_fields
from licences.detail_types import LICENCE_ISSUE
from licences.formats import sdjwt
from licences.life import stop_issuing
from licences.lifecycle import CHINA_STANDARD_TIME, LIVE, NEEDS_SECOND_PERSON, Change, State, local_day
from licences.models import IssueIntent, Licence, LicenceChange, LicenceRoute
from licences.status import entries
from licences.surface import FieldsRefusedError
from seals.stamp import export, stamp
from seals.verify import refuse_revoked, verify

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.catalogue import Authority, Entry
    from licences.metadata import Holder
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
        "rehearsal_failed": Kind(500, "签发自检未通过，未签发", "The rehearsal failed; nothing was issued"),
    }
)

MAX_BACKDATED = timedelta(days=36_525)
_SERIAL = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LENGTH = 20


_INSERT_INTENT = insert(table_of(IssueIntent))
_INSERT_LICENCE = insert(table_of(Licence))
_INSERT_ROUTE = insert(table_of(LicenceRoute))
_INSERT_CHANGE = insert(table_of(LicenceChange))
_intents = table_of(IssueIntent).c
_FULFIL = (
    update(table_of(IssueIntent))
    .where(_intents.subject == bindparam("holder"), _intents.intent_id == bindparam("intent"))
    .values(done_at=bindparam("now"))
)


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


def intend(call: Call, body: dict[str, Any], *, approved: bool = False) -> Intent:
    """Check a request for a new licence and record what is about to be signed.

    A sensitive type is issued only where a second person has `approved` it (licences.life.change_requests).

    Raises:
        Problem: second_person_required, forbidden, not_found, invalid, holder_unknown, holder_kind or already_held; or
            authorization_details_exceeded, where the token is for other types, departments or holders.
    """
    entry = catalogue.find(call, body["type"])
    authority = catalogue.authority(call, entry, body.get("department"))
    if not approved:
        refuse_alone(entry, Change.ISSUE)
    named = {"licence_types": entry.type.code, "departments": authority.department}
    demand(call, LICENCE_ISSUE.name, **named, holders=_numbers(body))
    subject, holder = find_holder(call, body["holder"]["number"], entry)
    beside = [
        find_holder(call, named_too["number"], entry, at=f"/holders/{place}")[1]
        for place, named_too in enumerate(body.get("holders", [])[1:], 1)
    ]
    co_holders.refuse(entry.type, [holder, *beside])
    if entry.type.single:
        refuse_second(call, subject, entry.type.code)
    code = identifier.build(entry.type.code, authority.department, new_serial(), 1)
    content = describe(call, entry, authority, holder, code, body | {"beside": beside}, version=1, previous=None)
    state = State.UNCOLLECTED if body.get("collect") else State.VALID
    return record_intent(call, subject, code, authority.seal_id, content, single=entry.type.single, state=state)


def refuse_alone(entry: Entry, change: Change) -> None:
    """Refuse what one person alone may not do with a sensitive type.

    Raises:
        Problem: second_person_required.
    """
    if entry.type.sensitive and change in NEEDS_SECOND_PERSON:
        raise Problem("second_person_required", "Ask for it with POST /v1/change-requests; another officer decides.")


def record_intent(
    call: Call,
    subject: str,
    code: str,
    seal_id: str,
    content: bytes,
    *,
    single: bool,
    previous: str | None = None,
    state: State = State.VALID,
) -> Intent:
    """Put on record which bytes are about to be sealed and signed.

    Raises:
        Problem: issuing_stopped.
    """
    named = identifier.parts(code)
    stop_issuing.refuse(call, type_code=named.type_code, department=named.issuer_code)
    intent_id = timed_id(call.now)
    digest = sm3(content)
    row = {"subject": subject, "intent_id": intent_id, "identifier": code, "record_digest": digest, "at": call.now}
    call.connection.execute(_INSERT_INTENT, {**row, "done_at": None})
    audit.record(call, Deed.INTENDED, subject=subject, licence=code, digest=digest.hex())
    return Intent(intent_id, subject, code, seal_id, content, single, previous, state)


def issue(call: Call, intent: Intent) -> Licence:
    """Seal and sign the recorded bytes, rehearse, and store the licence as valid.

    Raises:
        Problem: already_held, seal_not_in_force, seal_certificate_revoked or rehearsal_failed; nothing is stored then.
    """
    if intent.type_single and intent.previous is None:
        lock_holder(call, intent)
        refuse_second(call, intent.subject, identifier.parts(intent.identifier).type_code)
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
    rehearse(call, record, stamped, sdjwt.finish(unsigned, signature), intent.identifier)
    return _store(call, intent, record, stamped, place, signer.kid, signature)


def rehearse(call: Call, record: Record, stamped: Stamp, credential: str, code: str) -> None:
    """Verify what was just made with the verifier everybody else uses; what does not hold is not stored.

    Raises:
        Problem: seal_certificate_revoked or rehearsal_failed.
    """
    sealed = export(call, stamped, document=record.content, name=code)
    report = verify(call, sealed, document=record.content)
    try:
        keys = call.keys.public(Purpose.LICENCE)
        sdjwt.verify(credential, keys=keys, issuer=call.settings.signs_as, now=call.now)
    except sdjwt.SDJWTError as error:
        raise Problem("rehearsal_failed", f"The credential does not verify: {error.code}.") from None
    if not report.ok:
        refuse_revoked(report)
        wrong = [c.name for s in report.signatures for c in s.checks if c.result in {Result.FAIL, Result.NOT_CHECKED}]
        raise Problem("rehearsal_failed", f"The seal does not verify: {', '.join(wrong)}.")


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


def describe(
    call: Call,
    entry: Entry,
    authority: Authority,
    holder: Holder,
    code: str,
    body: dict[str, Any],
    *,
    version: int,
    previous: str | None,
) -> bytes:
    """Return the canonical bytes of the licence's metadata record.

    Raises:
        Problem: invalid, naming the faulty fields or dates.
    """
    try:
        fields = validate_fields(entry.type, body["fields"])
    except FieldsRefusedError as error:
        faults = [FieldProblem(f"/fields{p.pointer}", p.code, p.message) for p in error.problems]
        raise Problem("invalid", "Some fields of the licence were refused.", errors=faults) from None
    today = local_day(call.now)
    valid_from: date = body.get("valid_from") or today
    valid_until: date | None = body["valid_until"] if "valid_until" in body else entry.type.last_day(valid_from)
    if valid_until is not None and valid_until < valid_from:
        raise Problem("invalid", "", errors=[FieldProblem("/valid_until", "order", "ends before it begins")])
    if valid_from < today - MAX_BACKDATED:
        raise Problem("invalid", "", errors=[FieldProblem("/valid_from", "too_early", "more than 100 years ago")])
    serial = f"{secrets.randbelow(10**8):08d}"
    described = metadata.Metadata(
        identifier=code,
        number=body.get("number")
        or metadata.certificate_number(entry.type, holder=holder, year=today.year, serial=serial),
        type_code=entry.type.code,
        type_name=entry.type.name,
        version=version,
        holders=(holder, *body.get("beside", ())),
        issuer=metadata.Issuer(authority.name, authority.department, authority.region),
        issued_on=today,
        valid_from=valid_from,
        valid_until=valid_until,
        surface=metadata.surface(entry.type, fields, holder),
        previous=previous,
        demonstration=entry.type.demonstration,
        type_version=entry.version,
        changed=_changed(call, body) if previous is not None else None,
    )
    return artefacts.content_of(described)


def _numbers(body: dict[str, Any]) -> list[str]:
    """Return the numbers of everybody who is to stand on the licence, as details of a token name them."""
    return [credit_code.normalise(named["number"]) for named in body.get("holders") or [body["holder"]]]


def _changed(call: Call, body: dict[str, Any]) -> metadata.Changed:
    at = call.now.astimezone(CHINA_STANDARD_TIME).replace(microsecond=0)
    return metadata.Changed(at, body.get("reason") or "")


def new_serial() -> str:
    """Return 20 random characters A-Z0-9: more than 100 bits, so that serials need no shared counter."""
    return "".join(secrets.choice(_SERIAL) for _ in range(_SERIAL_LENGTH))


def lock_holder(call: Call, intent: Intent) -> None:
    """Let one issue at a time decide whether this holder already has the type."""
    key = sm3(f"{intent.subject}|{identifier.parts(intent.identifier).type_code}".encode())
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
    row: dict[str, Any] = {
        "subject": intent.subject,
        "identifier": intent.identifier,
        "type_code": described.type_code,
        "issuer_code": described.issuer.code,
        "state": intent.state,
        "valid_from": described.valid_from,
        "valid_until": described.valid_until,
        "issued_at": stamped.sealed_at,
        "changed_at": call.now,
        "record_sealed": artefacts.seal_record(call, intent.identifier, record),
        "seal_id": stamped.seal_id,
        "seal_signature": stamped.signature,
        "credential_kid": kid,
        "credential_signature": signature,
        "next_identifier": None,
        "status_place": place,
    }
    licence, connection = Licence(**row), call.connection
    connection.execute(_INSERT_LICENCE, row)
    connection.execute(_INSERT_ROUTE, {"identifier": intent.identifier, "subject": intent.subject})
    co_holders.store(call, licence, described.holders)
    note_change(call, licence, Change.ISSUE, reason=None, ground=None)
    connection.execute(_FULFIL, {"holder": intent.subject, "intent": intent.intent_id, "now": call.now})
    digest = sm3(record.content).hex()
    audit.record(
        call, Deed.ISSUED, subject=intent.subject, licence=intent.identifier, digest=digest, seal=stamped.seal_id
    )
    return licence


def note_change(call: Call, licence: Licence, change: Change, *, reason: str | None, ground: str | None) -> str:
    """Add one line to the licence's life and return its identifier.

    Raises:
        Problem: ground_unknown.
    """
    rests_on = grounds.ground_of(change, ground)
    if rests_on is None:
        fitting = " ".join(fits.code for fits in grounds.grounds_for(change))
        raise Problem("ground_unknown", f"For {change} name one of: {fitting}.")
    change_id = timed_id(call.now)
    place = {"table": "licence_change", "column": "reason_sealed", "row": change_id}
    call.connection.execute(
        _INSERT_CHANGE,
        {
            "subject": licence.subject,
            "identifier": licence.identifier,
            "change_id": change_id,
            "change": str(change),
            "state": str(licence.state),
            "ground": rests_on.code,
            "reason_sealed": call.cipher.seal(reason.encode(), **place) if reason else None,  # type: ignore[arg-type]
            "actor": call.caller.name_for_log,
            "at": call.now,
        },
    )
    return change_id
