"""The SD-JWT credential of a licence (电子凭证): made when somebody first asks for it, the same ever after.

A licence that is issued alone has its credential from the start; for one that was issued in bulk the first request
signs it, rehearses it, takes its place in the status lists and stores it, in one transaction and once.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import Problem
from keys.ring import Purpose
from licences import artefacts, change, portions, rehearsal
from licences.deeds import Deed
from licences.formats import sdjwt
from licences.lifecycle import State
from licences.models import Licence
from licences.status import entries

if TYPE_CHECKING:
    from idservice.call import Call

_licences = table_of(Licence)
_STORE = (
    update(_licences)
    .where(
        _licences.c.subject == bindparam("whose"),
        _licences.c.identifier == bindparam("code"),
        _licences.c.state == State.VALID.value,
        _licences.c.credential_signature.is_(None),
    )
    .values(credential_kid=bindparam("kid"), credential_signature=bindparam("value"), status_place=bindparam("place"))
    .returning(_licences.c.identifier)
)


def get(call: Call, licence: Licence) -> str:
    """Return the SD-JWT VC of a licence with all its disclosures; the first call makes it.

    It needs a writing transaction.

    Raises:
        Problem: licence_not_in_force, where there is none yet and the licence is suspended or has ended;
            request_running, while another request makes it; rehearsal_failed.
    """
    made = artefacts.credential(call, licence)
    if made is not None:
        return made
    _lock(call, licence)
    current = change.find_held(call, licence.subject, licence.identifier)
    if current is None:
        raise Problem("not_found", "The register holds no such licence.")
    return artefacts.credential(call, current) or _make(call, current)


def _make(call: Call, licence: Licence) -> str:
    if State(licence.state) is not State.VALID:
        raise Problem("licence_not_in_force", f"The licence is: {licence.state}.")
    place = entries.allocate_place(call, licence, form="credential")
    signer = call.keys.signer(Purpose.LICENCE)
    unsigned = artefacts.unsigned_credential(
        artefacts.open_record(call, licence),
        issuer=call.settings.signs_as,
        kid=signer.kid,
        issued_at=licence.issued_at,
        seal_signature=portions.value(call, licence),
        status=entries.reference(call, place),
    )
    signature = signer.sign(unsigned.signing_input)
    made = sdjwt.finish(unsigned, signature)
    rehearsal.refuse_credential(call, made)
    named = {"whose": licence.subject, "code": licence.identifier}
    row = named | {"kid": signer.kid, "value": signature, "place": place}
    if call.connection.execute(_STORE, row).one_or_none() is None:
        raise Problem("conflict", "The licence changed while its credential was made; repeat it.")
    facts = {"form": "credential.sd-jwt", "digest": hashlib.sha256(made.encode()).hexdigest()}
    audit.record(call, Deed.COPY_MADE, subject=licence.subject, licence=licence.identifier, **facts)
    return made


def _lock(call: Call, licence: Licence) -> None:
    """Let one request at a time make the credential of a licence."""
    key = hashlib.sha256(f"{licence.identifier}|credential".encode()).digest()[:8]
    if not call.house.database.try_lock(call.session, int.from_bytes(key, "big", signed=True)):
        raise Problem("request_running", "The credential is being made; retry.", headers={"Retry-After": "1"})
