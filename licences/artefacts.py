"""The artefacts of one licence, rebuilt from its row: the sealed record, the seal signature, the SD-JWT credential."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.canonical import canonical_json
from licences.formats import sdjwt
from licences.metadata import Metadata, read
from licences.status.entries import reference
from seals.stamp import Stamp, export

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from licences.models import Licence
    from licences.status.entries import StatusRef

VCT_PATH = "/credentials"
_PLACE = ("licence", "record_sealed")


@dataclass(frozen=True, slots=True)
class Record:
    """What the row keeps encrypted: the bytes that were sealed, and the seed of the credential's salts."""

    content: bytes
    seed: bytes

    @property
    def metadata(self) -> Metadata:
        """Return the metadata that the sealed bytes state."""
        return read(json.loads(self.content))


def seal_record(call: Call, identifier: str, record: Record) -> bytes:
    """Return `record` encrypted for the row of `identifier`."""
    return call.cipher.seal(record.seed + record.content, table=_PLACE[0], column=_PLACE[1], row=identifier)


def open_record(call: Call, licence: Licence) -> Record:
    """Return the record of a licence."""
    blob = call.cipher.open(licence.record_sealed, table=_PLACE[0], column=_PLACE[1], row=licence.identifier)
    return Record(blob[sdjwt.SEED_BYTES :], blob[: sdjwt.SEED_BYTES])


def stamp_of(licence: Licence) -> Stamp:
    """Return the seal's use on a licence."""
    return Stamp(licence.seal_id, licence.issued_at, licence.seal_signature)


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
    metadata = record.metadata
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
        **({"status": status.claim()} if status is not None else {}),
    }
    hidden = ["licence_number", *holder, *(f"face_{name}" for name in surface)]
    vct = f"{issuer}{VCT_PATH}/{metadata.type_code}"
    return sdjwt.build(
        claims,
        hidden,
        issuer=issuer,
        vct=vct,
        kid=kid,
        seed=record.seed,
        issued_at=issued_at,
        expires_at=None,
    )


def credential(call: Call, licence: Licence) -> str:
    """Return the stored SD-JWT VC of a licence with all its disclosures."""
    unsigned = unsigned_credential(
        open_record(call, licence),
        issuer=call.settings.signs_as,
        kid=licence.credential_kid,
        issued_at=licence.issued_at,
        seal_signature=licence.seal_signature,
        status=None if licence.status_place is None else reference(call, licence.status_place),
    )
    return sdjwt.finish(unsigned, licence.credential_signature)


def seal_signature(call: Call, licence: Licence) -> bytes:
    """Return the SES_Signature (DER) of the department's seal on the record of a licence."""
    content = open_record(call, licence).content
    return export(call, stamp_of(licence), document=content, name=licence.identifier)


def content_of(metadata: Metadata) -> bytes:
    """Return the canonical bytes of a metadata record: what the seal is put on."""
    return canonical_json(metadata.record())
