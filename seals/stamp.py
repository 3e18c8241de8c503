"""Put an electronic seal (签章) on bytes, and rebuild the seal signature from what a row keeps of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select

from idservice.db import table_of
from idservice.errors import Problem
from keys.ring import RingError
from keys.sm2 import sm3
from keys.verdict import Check, Reason, Result
from seals import contents, signature
from seals.check import check_signature
from seals.decoding import read_seal
from seals.lifecycle import State, state_at
from seals.models import Seal
from seals.refusals import no_key
from seals.report import SignatureReport
from seals.structure import SM2_WITH_SM3, SealFormatError, SealSignature
from seals.verify import trust_of

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.db import Database
    from keys.signer import Signer

_KEEP = 2.0  # seconds a process may go on with the bytes of a seal that it has read; they never change
_seals = table_of(Seal)
_SEAL = select(_seals).where(_seals.c.seal_id == bindparam("seal_id"))
_bytes: WeakKeyDictionary[Database, dict[str, tuple[float, bytes, bytes]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one use of a seal leaves: everything else of the SES_Signature is in the seal's own row."""

    seal_id: str
    sealed_at: datetime  # whole seconds, as GeneralizedTime has it
    signature: bytes  # DER SEQUENCE{r, s}


@dataclass(frozen=True, slots=True)
class Ready:
    """A seal that was found in force at one instant, to be put on what is sealed at that instant."""

    seal_id: str
    sealed_at: datetime
    signer: Signer
    seal_der: bytes

    def stamp(self, document: bytes, name: str) -> Stamp:
        """Seal `document`; `name` is the text that the signature carries as propertyInfo (IA5)."""
        value = self.signer.sign(signature.tbs(self.seal_der, self.sealed_at, sm3(document), name))
        return Stamp(self.seal_id, self.sealed_at, value)


def stamp(call: Call, *, seal_id: str, document: bytes, name: str) -> Stamp:
    """Seal `document` now; `name` is the text that the signature carries as propertyInfo (IA5).

    Raises:
        Problem: seal_not_in_force, if the seal is suspended, out of its period or its key is gone.
    """
    return ready(call, seal_id).stamp(document, name)


def ready(call: Call, seal_id: str) -> Ready:
    """Return a seal ready for everything that is sealed in this call.

    Raises:
        Problem: seal_not_in_force, if the seal is suspended, out of its period or its key is gone.
    """
    seal = call.connection.execute(_SEAL, {"seal_id": seal_id}).one_or_none()
    if seal is None or state_at(seal.state, seal.valid_from, seal.valid_until, call.now) is not State.IN_FORCE:
        raise Problem("seal_not_in_force", "Use a seal that is in force.")
    sealed_at = call.now.replace(microsecond=0)
    try:
        signer = call.keys.seal_signer(seal_id)
    except RingError:
        raise no_key() from None
    return Ready(seal_id, sealed_at, signer, contents.opened(call, seal, contents.STRUCTURE, seal.seal_der))


def export(call: Call, stamped: Stamp, *, document: bytes, name: str) -> bytes:
    """Return the whole SES_Signature (DER) of a stamp made on `document` under `name`: always the same bytes."""
    seal_der, certificate = _bytes_of(call, stamped.seal_id)
    return signature.assemble(
        seal_der,
        stamped.sealed_at,
        sm3(document),
        name,
        signer_certificate=certificate,
        signature=stamped.signature,
    )


def judge(call: Call, stamped: Stamp, *, document: bytes, name: str) -> SignatureReport:
    """Judge a stamp made on `document` under `name` at this instant: what a reader of its `export` would be told.

    It is the verifier's own judgement over the same bytes; only the way through DER and back is left out.
    """
    seal_der, certificate = _bytes_of(call, stamped.seal_id)
    try:
        seal = _decoded(seal_der)
    except SealFormatError as error:
        return SignatureReport(checks=(Check("format", Result.FAIL, str(error), Reason.UNREADABLE),))
    digest = sm3(document)
    signed = SealSignature(
        der=b"",
        tbs_der=signature.tbs(seal_der, stamped.sealed_at, digest, name),
        seal=seal,
        signed_at=stamped.sealed_at,
        data_hash=digest,
        property_info=name,
        extensions=(),
        signer_certificate=certificate,
        algorithm=SM2_WITH_SM3,
        signature=stamped.signature,
        timestamp=None,
    )
    return check_signature(signed, trust_of(call), digest=digest)


_decoded = lru_cache(maxsize=1024)(read_seal)  # the bytes of a seal say the same for ever


def _bytes_of(call: Call, seal_id: str) -> tuple[bytes, bytes]:
    """Return the seal and the signer's certificate, both DER."""
    read, moment = _bytes.setdefault(call.house.database, {}), time.monotonic()
    kept = read.get(seal_id)
    if kept is None or moment - kept[0] > _KEEP:
        seal = call.connection.execute(_SEAL, {"seal_id": seal_id}).one()
        certificate = contents.opened(call, seal, contents.CERTIFICATE, seal.signer_certificate)
        kept = read[seal_id] = (moment, contents.opened(call, seal, contents.STRUCTURE, seal.seal_der), certificate)
    return kept[1:]
