"""Stored copies of a licence (电子证照副本): made when somebody first asks, kept encrypted, the same ever after.

A copy is made anew where what it was made from is another (a new edition of its layout), or where its key was revoked,
for then nobody can believe the old one. Every copy that was ever made leaves a route: whoever brings one is told by its
digest whether this house made exactly these bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Problem
from keys.ring import Purpose
from licences import catalogue, change
from licences.copies_models import ArtefactCopy, ArtefactRoute
from licences.deeds import Deed
from licences.lifecycle import State
from seals.use import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from licences.models import Licence

_TABLE: Final = "artefact_copy"


class Form(StrEnum):
    """The forms in which copies are kept, by the name of their file."""

    PDF = "document.pdf"
    OFD = "document.ofd"
    MDOC = "credential.mdoc"
    JWT = "credential.jwt"
    CLAIM169 = "claim169.txt"
    PAPER_SM2 = "paper-sm2"


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that was just made: the licence key on which it rests, and the seal that was put on it."""

    content: bytes
    kid: str | None
    seal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A stored copy; `digest` is the SHA-256 of its content."""

    content: bytes
    digest: bytes


def kept(call: Call, licence: Licence, form: Form, source: bytes, make: Callable[[], Made]) -> Copy:
    """Return the stored copy of a licence; where there is none made from `source`, `make` it and store it.

    Making needs a writing transaction. `source` is a digest (32 bytes) of all that the copy depends on.

    Raises:
        Problem: licence_not_in_force; request_running, while another request makes the copy; whatever `make` raises.
    """
    row = call.session.get(ArtefactCopy, (licence.subject, licence.identifier, str(form)))
    if State(licence.state) is not State.VALID:
        if row is None or not catalogue.is_issuer(call, licence.issuer_code):
            raise Problem("licence_not_in_force", f"The licence is: {licence.state}.")
        return _opened(call, row)
    if row is None:
        _lock(call, licence, form)
        row = call.session.get(ArtefactCopy, (licence.subject, licence.identifier, str(form)))
    if row is not None and row.source == source and _is_trusted(call, row.digest):
        return _opened(call, row)
    return _store(call, licence, form, source, make())


def find(call: Call, content: bytes) -> tuple[Licence, Form] | None:
    """Return the licence of which these bytes are a copy that this house made, or None."""
    route = call.session.get(ArtefactRoute, hashlib.sha256(content).digest())
    licence = change.find_any(call, route.identifier) if route is not None else None
    return None if route is None or licence is None else (licence, Form(route.form))


def sealed(call: Call, seal_id: str) -> int:
    """Return how often a seal was put on copies."""
    return call.session.scalar(select(func.count()).where(ArtefactRoute.seal_id == seal_id)) or 0


def _store(call: Call, licence: Licence, form: Form, source: bytes, made: Made) -> Copy:
    digest = hashlib.sha256(made.content).digest()
    call.session.merge(
        ArtefactCopy(
            subject=licence.subject,
            identifier=licence.identifier,
            form=str(form),
            source=source,
            digest=digest,
            content_sealed=call.cipher.seal(made.content, **_place(licence.identifier, form)),
            made_at=call.now,
        )
    )
    route = {"digest": digest, "identifier": licence.identifier, "form": str(form), "kid": made.kid}
    add_if_new(call.session, ArtefactRoute, route | {"seal_id": made.seal_id, "made_at": call.now})
    call.session.flush()
    facts: dict[str, Any] = {"form": str(form), "digest": digest.hex(), "seal": made.seal_id}
    audit.record(call, Deed.COPY_MADE, subject=licence.subject, licence=licence.identifier, **facts)
    return Copy(made.content, digest)


def _opened(call: Call, row: ArtefactCopy) -> Copy:
    return Copy(call.cipher.open(row.content_sealed, **_place(row.identifier, row.form)), row.digest)


def _place(identifier: str, form: str) -> Place:
    return Place(table=_TABLE, column="content_sealed", row=_row(identifier, form))


def _row(identifier: str, form: str) -> str:
    return f"{identifier}|{form}"


def _is_trusted(call: Call, digest: bytes) -> bool:
    """Return whether the licence key on which a copy rests is still believed."""
    route = call.session.get(ArtefactRoute, digest)
    if route is None or route.kid is None:
        return route is not None
    return any(route.kid in call.keys.public(purpose) for purpose in (Purpose.LICENCE, Purpose.LICENCE_SM2))


def _lock(call: Call, licence: Licence, form: Form) -> None:
    """Let one request at a time make the first copy of a licence in a form."""
    key = hashlib.sha256(_row(licence.identifier, form).encode()).digest()[:8]
    if not call.house.database.try_lock(call.session, int.from_bytes(key, "big", signed=True)):
        raise Problem("request_running", "The copy is being made; retry.", headers={"Retry-After": "1"})
