"""The artefacts of one licence, rebuilt from its row: the sealed record and the SD-JWT credential."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from keys.canonical import canonical_json
from keys.fields import FieldError
from licences import portions, record_form
from licences.formats import sdjwt
from licences.metadata import Metadata, read
from licences.status.entries import reference

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from keys.fields import FieldCipher
    from licences.models import Licence
    from licences.status.entries import StatusRef

VCT_PATH = "/credentials"
_PLACE = ("licence", "record_sealed")


@dataclass(frozen=True)
class Record:
    """What the row keeps encrypted: the bytes that were sealed, and the seed of the credential's salts."""

    content: bytes
    seed: bytes

    @cached_property
    def metadata(self) -> Metadata:
        """Return the metadata that the sealed bytes state."""
        return read(json.loads(self.content))


def seal_record(cipher: FieldCipher, identifier: str, record: Record) -> bytes:
    """Return `record`, in its compact form, encrypted for the row of `identifier`."""
    packed = record.seed + record_form.pack(record.content, identifier)
    return cipher.seal(packed, table=_PLACE[0], column=_PLACE[1], row=identifier, version=record_form.FORM)


def open_record(call: Call, licence: Licence) -> Record:
    """Return the record of a licence."""
    code, (table, column) = licence.identifier, _PLACE
    try:
        blob = call.cipher.open(licence.record_sealed, table=table, column=column, row=code, version=record_form.FORM)
        content = record_form.unpack(blob[sdjwt.SEED_BYTES :], code)
    except FieldError:  # a row from before there was a compact form
        blob = call.cipher.open(licence.record_sealed, table=table, column=column, row=code)
        content = blob[sdjwt.SEED_BYTES :]
    return Record(content, blob[: sdjwt.SEED_BYTES])


def unsigned_credential(
    record: Record,
    *,
    issuer: str,
    kid: str,
    issued_at: datetime,
    seal_signature: bytes,
    status: StatusRef | None,
) -> sdjwt.Unsigned:
    """Return the SD-JWT VC of a record, before its signature: every face field and the holder can be held back.

    The seal's value is among the claims, so that whoever holds the credential can show that the department's seal and
    the platform's signature are about the same record. `status` says in which list its status is read; None is for
    those made before there were lists.
    """
    claims, hidden = claims_of(record.metadata, seal_signature)
    vct = f"{issuer}{VCT_PATH}/{record.metadata.type_code}"
    return sdjwt.build(
        claims | ({"status": status.claim()} if status is not None else {}),
        hidden,
        issuer=issuer,
        vct=vct,
        kid=kid,
        seed=record.seed,
        issued_at=issued_at,
        expires_at=None,
    )


def claims_of(metadata: Metadata, seal_signature: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return what a credential says of a licence, and the names of the claims that its holder can hold back."""
    holder = {"holder_name": [h.name for h in metadata.holders], "holder_number": [h.code for h in metadata.holders]}
    surface = dict(metadata.surface)
    claims = {
        "licence_identifier": metadata.identifier,
        "licence_type": metadata.type_code,
        "licence_name": metadata.type_name,
        "issuing_authority": {"name": metadata.issuer.name, "code": metadata.issuer.code},
        "valid_from": metadata.valid_from.isoformat(),
        "valid_until": metadata.valid_until.isoformat() if metadata.valid_until else "",
        "licence_number": metadata.number,
        "seal": base64.b64encode(seal_signature).decode(),
        **holder,
        **{f"face_{name}": value for name, value in surface.items()},
    }
    return claims, ["licence_number", *holder, *(f"face_{name}" for name in surface)]


def credential(call: Call, licence: Licence, record: Record | None = None) -> str | None:
    """Return the stored SD-JWT VC of a licence with all its disclosures, None where none was made yet.

    `record` is its own, where it was opened; `licences.credentials` makes the one that is missing.
    """
    if licence.credential_kid is None or licence.credential_signature is None:
        return None
    unsigned = unsigned_credential(
        record or open_record(call, licence),
        issuer=call.settings.signs_as,
        kid=licence.credential_kid,
        issued_at=licence.issued_at,
        seal_signature=portions.value(call, licence),
        status=None if licence.status_place is None else reference(call, licence.status_place),
    )
    return sdjwt.finish(unsigned, licence.credential_signature)


def content_of(metadata: Metadata) -> bytes:
    """Return the canonical bytes of a metadata record: what the seal is put on."""
    return canonical_json(metadata.record())
