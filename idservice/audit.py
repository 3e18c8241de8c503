"""Audit: one row for every deed and every refusal (审计记录).

A deed's row is added in the deed's own transaction, so that neither exists without the other; a refusal's row goes into
a transaction of its own after the rollback. No counter or lock is shared: `idservice.log` orders the committed rows
afterwards. Facts hold pseudonyms (subjects, client ids, licence identifiers), never a number, a name or a phone.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice.db import table_of
from idservice.ids import timed_id
from idservice.models import AccessRecord, AuditEntry
from idservice.numbers.names import mask_name
from idservice.statement import Statement
from keys.canonical import canonical_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call

_INSERT_ENTRY = Statement(insert(table_of(AuditEntry)))
_INSERT_ACCESS = Statement(insert(table_of(AccessRecord)))

SALT = "salt"  # among the facts of an access record: without it their digest could be guessed
Fact = str | int | bool | list[str] | None


class Deed(StrEnum):
    """The deeds of this room, as `room:thing:deed`."""

    LOGIN = "idservice:session:login"
    LOGOUT = "idservice:session:logout"
    NOTICE_SENT = "idservice:notice:send"
    CLIENT_REGISTERED = "idservice:client:register"
    CLIENT_CHANGED = "idservice:client:change"
    CLIENT_REMOVED = "idservice:client:remove"
    INITIAL_TOKEN_MADE = "idservice:initial_token:make"
    STREAM_MADE = "idservice:event_stream:make"
    STREAM_CHANGED = "idservice:event_stream:change"
    STREAM_REMOVED = "idservice:event_stream:remove"
    STREAM_SUBJECT_ADDED = "idservice:event_stream:add_subject"
    STREAM_SUBJECT_REMOVED = "idservice:event_stream:remove_subject"
    CONSENT_GIVEN = "idservice:consent:give"
    CONSENT_WITHDRAWN = "idservice:consent:withdraw"
    CODE_ISSUED = "idservice:code:issue"
    TOKEN_ISSUED = "idservice:token:issue"
    TOKEN_REFRESHED = "idservice:token:refresh"
    TOKEN_REPEATED = "idservice:token:repeat"
    REQUEST_PUSHED = "idservice:authorization_request:push"
    TOKEN_REVOKED = "idservice:token:revoke"
    FAMILY_KILLED = "idservice:family:kill"
    CLAIMS_RELEASED = "idservice:claims:release"
    PERSON_ENROLLED = "idservice:person:enrol"
    ORGANISATION_ENROLLED = "idservice:organisation:enrol"
    REGISTER_IMPORTED = "idservice:register:import"
    MANDATE_OFFERED = "idservice:mandate:offer"
    MANDATE_ACCEPTED = "idservice:mandate:accept"
    MANDATE_WITHDRAWN = "idservice:mandate:withdraw"
    MANDATE_SUSPENDED = "idservice:mandate:suspend"
    MANDATE_CONFIRMED = "idservice:mandate:confirm"
    REPRESENTATIVE_CHANGED = "idservice:organisation:change_representative"
    REQUEST_REFUSED = "idservice:request:refuse"


def record(call: Call, deed: StrEnum, *, outcome: str = "done", **facts: Any) -> str:
    """Add the audit row of `deed` to the call's transaction and return its identifier."""
    entry_id = timed_id(call.now)
    _INSERT_ENTRY.run(
        call.connection,
        {
            "entry_id": entry_id,
            "at": call.now,
            "deed": str(deed),
            "outcome": outcome,
            "actor": call.caller.name_for_log,
            "facts": canonical_json({k: v for k, v in facts.items() if v is not None}).decode(),
            "salt": secrets.token_bytes(16),
        },
    )
    call.audit_ids.append(entry_id)
    return entry_id


def record_access(call: Call, deed: StrEnum, *, subject: str, facts: dict[str, Fact], **public: Any) -> str:
    """Record that the caller sees data of `subject`: one audit row, and one row the holder can read.

    `facts` (who, unit, purpose, matter, case_number, fields, basis) may name people and are stored encrypted;
    `public` goes into the audit row, and so does the digest of what the holder will read, salted: with it he can check
    that the log stands for that and for nothing else. Returns the access record's identifier.
    """
    record_id = timed_id(call.now)
    facts = {"acting": _acting(call), **facts, SALT: secrets.token_hex(16)}
    body = json.dumps({k: v for k, v in facts.items() if v is not None}, ensure_ascii=False).encode()
    content = hashlib.sha256(body).hexdigest()
    audit_id = record(call, deed, subject=subject, access=record_id, content=content, **public)
    _INSERT_ACCESS.run(
        call.connection,
        {
            "subject": subject,
            "record_id": record_id,
            "at": call.now,
            "act": str(deed),
            "facts_sealed": call.cipher.seal(body, table="access_record", column="facts_sealed", row=record_id),
            "audit_id": audit_id,
        },
    )
    return record_id


def begun_at(session: Session) -> datetime | None:
    """Return when the first entry was made: since then this installation is in use; None before."""
    return session.scalar(select(AuditEntry.at).order_by(AuditEntry.entry_id).limit(1))


def _acting(call: Call) -> str | None:
    """Return the masked name of a person who acts for another: the holder's record shows both names."""
    if call.caller.principal is None or call.caller.person is None:
        return None
    from idservice.register import people

    facts = people.facts(call, call.caller.person)
    return mask_name(facts.name) if facts is not None else None


def leaf_bytes(  # the columns of AuditEntry, so that a changed column changes the leaf
    *, entry_id: str, at: datetime, deed: str, outcome: str, actor: str, facts: str, salt: bytes
) -> bytes:
    """Return the 32 bytes that stand for a row in the public log: a salted commitment that reveals nothing."""
    row = {
        "entry_id": entry_id,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "deed": deed,
        "outcome": outcome,
        "actor": actor,
        "facts": facts,
    }
    return hashlib.sha256(salt + canonical_json(row)).digest()
