"""About whom a receiver hears (流主体): added and removed one by one, SSF 1.0 sections 8.1.3 and 9.3.

A stream hears of everybody its app knows, or of nobody, and of or but those whom the receiver named. It names a person
by the pairwise subject that it alone was given: an identifier that nobody bears is taken without a word, and leads to
nothing, so that no receiver learns who is known here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Problem
from idservice.events.models import EventStream, StreamSubject
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call

ALL: Final = "ALL"
NONE: Final = "NONE"
LIMIT: Final = "600/minute"  # of one receiver
MOST: Final = 100_000  # exceptions of one stream
_LONGEST: Final = 64  # of a subject; ours have 43 characters


def put(call: Call, stream: EventStream, subject: Any, *, added: bool) -> None:
    """Let the receiver hear, or not hear any more, of a person.

    Raises:
        Problem: bad_request; too_many_requests.
    """
    client_id = stream.client_id
    call.house.limiter.check(LIMIT, what="ssf.subject", who=client_id, address=call.caller.address)
    name = _hash(call, client_id, _pairwise(call, subject))
    call.session.execute(delete(StreamSubject).where(StreamSubject.subject_hash == name))
    if added is (stream.default_subjects == NONE):
        held = select(func.count()).select_from(StreamSubject).where(StreamSubject.client_id == client_id)
        if (call.session.scalar(held) or 0) >= MOST:
            raise Problem("too_many_requests", f"A stream has at most {MOST} subjects of its own.")
        row = {"subject_hash": name, "client_id": client_id, "is_added": added, "changed_at": call.now}
        add_if_new(call.session, StreamSubject, row)
    deed = audit.Deed.STREAM_SUBJECT_ADDED if added else audit.Deed.STREAM_SUBJECT_REMOVED
    audit.record(call, deed, client=client_id, stream=stream.stream_id)


def hears_of(call: Call, stream: EventStream, subject: str) -> bool:
    """Return whether the receiver wants to hear of the person it knows by this pairwise subject."""
    name = _hash(call, stream.client_id, subject)
    is_added = call.session.scalar(select(StreamSubject.is_added).where(StreamSubject.subject_hash == name))
    return stream.default_subjects != NONE if is_added is None else is_added


def forget_all(call: Call, client_id: str) -> None:
    """Forget whom a receiver named: its stream is gone, or begins from another default."""
    call.session.execute(delete(StreamSubject).where(StreamSubject.client_id == client_id))


def _pairwise(call: Call, subject: Any) -> str:
    """Return the subject that an identifier of the format `iss_sub` names (RFC 9493 section 3.2.5)."""
    match subject:
        case {"format": "iss_sub", "iss": call.settings.issuer, "sub": str(found)} if 0 < len(found) <= _LONGEST:
            return found
    raise Problem("bad_request", "subject is {format: iss_sub, iss, sub}, with the sub that this client knows.")


def _hash(call: Call, client_id: str, subject: str) -> bytes:
    secret = call.keys.secret(Purpose.SUBJECT)
    return hmac.digest(secret, f"stream|{client_id}|{subject}".encode(), hashlib.sha256)
