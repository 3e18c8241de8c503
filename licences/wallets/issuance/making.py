"""Make one copy of a licence for one key of a wallet (制作钱包副本): SD-JWT VC, mdoc or JWT VC.

No two copies share bytes that tell them to be the same person's: each has its own key, salts and place in the status
lists, times are those of the whole hour, and of an SD-JWT VC nothing about the holder or his one licence stands in the
open. (A JWT VC can hold nothing back; whoever wants copies that cannot be linked takes another form.) What was made is
verified as everybody else verifies it before it leaves.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import Problem
from keys.base64url import b64u
from keys.ring import Purpose
from licences import artefacts, catalogue, portions
from licences.copy_forms import point_of
from licences.formats import jwt_vc, key_binding, mdoc, mdoc_elements, sdjwt
from licences.lifecycle import CHINA_STANDARD_TIME, local_day
from licences.predicates import AGE_OVER, age_over
from licences.status import entries
from licences.wallets.issuance.configurations import Format
from seals import house_certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from keys.certificates import Certificate
    from keys.signer import PublicKey, Signer
    from licences.metadata import Metadata
    from licences.models import Licence
    from licences.status.entries import StatusRef

LIFE: Final = timedelta(days=90)  # of a copy, if the licence does not end before; a wallet fetches new ones
#: Said of every licence of a type alike, so they may stand in the open; everything else is the holder's to disclose.
_IN_THE_OPEN: Final = frozenset({"licence_type", "licence_name", "issuing_authority"})


@dataclass(frozen=True, slots=True)
class WalletCopy:
    """A copy as the wallet gets it; `place` is its own in the status lists, `expires_at` when it ends by itself."""

    content: str
    place: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Making:
    """What all copies of one request have in common."""

    call: Call
    licence: Licence
    metadata: Metadata
    signer: Signer
    certificate: Certificate | None  # of the signing key; None where no root for documents is set up
    signed_at: datetime
    expires_at: datetime


def make(call: Call, licence: Licence, form: Format, keys: tuple[PublicKey, ...]) -> list[WalletCopy]:
    """Return one copy for each key. It needs a writing transaction, and the licence must be in force.

    Raises:
        Problem: unavailable, where the form needs a certificate and no root for documents is set up.
    """
    making = _prepare(call, licence)
    return [_one(making, form, key) for key in keys]


def _prepare(call: Call, licence: Licence) -> _Making:
    signer, metadata = call.keys.signer(Purpose.LICENCE), artefacts.open_record(call, licence).metadata
    certificate = _certificate(call, signer.public)
    signed_at = call.now.replace(minute=0, second=0, microsecond=0)
    ends = datetime.combine(call.now.astimezone(UTC).date(), time(), UTC) + LIFE
    if metadata.valid_until is not None:
        ends = min(ends, datetime.combine(metadata.valid_until + timedelta(days=1), time(), CHINA_STANDARD_TIME))
    if certificate is not None:  # a copy that is signed outside its certificate's life is believed by nobody
        signed_at, ends = max(signed_at, certificate.not_before), min(ends, certificate.not_after)
    return _Making(call, licence, metadata, signer, certificate, signed_at, ends)


def _certificate(call: Call, key: PublicKey) -> Certificate | None:
    try:
        return house_certificate.certificate_of(call, key)
    except Problem as problem:
        if problem.code != "unavailable":
            raise
        return None


def _one(making: _Making, form: Format, key: PublicKey) -> WalletCopy:
    place = entries.allocate_place(making.call, making.licence, form="wallet")
    content = _MAKERS[form](making, key, entries.reference(making.call, place))
    return WalletCopy(content, place, making.expires_at)


def _sd_jwt(making: _Making, key: PublicKey, status: StatusRef) -> str:
    issuer = making.call.settings.signs_as
    claims, _hidden = artefacts.claims_of(making.metadata, portions.value(making.call, making.licence))
    claims |= _ages(making)
    hidden = claims.keys() - _IN_THE_OPEN
    unsigned = sdjwt.build(
        claims | {"cnf": key_binding.confirmation(key.jwk()), "status": status.claim()},
        hidden,
        issuer=issuer,
        vct=f"{issuer}{artefacts.VCT_PATH}/{making.metadata.type_code}",
        kid=making.signer.kid,
        seed=secrets.token_bytes(sdjwt.SEED_BYTES),
        issued_at=making.signed_at,
        expires_at=making.expires_at,
        chain=() if making.certificate is None else (making.certificate.der,),
    )
    made = sdjwt.sign(unsigned, making.signer)
    sdjwt.verify(made, keys={making.signer.kid: making.signer.public}, issuer=issuer, now=making.call.now)
    return made


def _ages(making: _Making) -> dict[str, bool]:
    """Return whether the holder has reached each age, so that he can prove it without his date of birth.

    It is the first holder's age: who stands beside him must not prove it as his own.
    """
    if making.call.caller.holder != making.licence.subject:
        return {}
    today = local_day(making.call.now)
    found = {name: age_over(making.metadata.holders[0], age, today) for name, age in AGE_OVER.items()}
    return {name: is_over for name, is_over in found.items() if is_over is not None}


def _mdoc(making: _Making, key: PublicKey, status: StatusRef) -> str:
    if making.certificate is None:
        raise Problem("unavailable", "An mdoc needs a certificate: set up the root for documents.")
    metadata = making.metadata
    slug = catalogue.type_of(making.call, metadata).slug
    begins = max(making.signed_at, datetime.combine(metadata.valid_from, time(), CHINA_STANDARD_TIME))
    made = mdoc.build(
        mdoc_elements.doc_type(slug, metadata.type_code),
        mdoc_elements.elements(slug, metadata),
        validity=mdoc.Validity(making.signed_at, begins, making.expires_at),
        device_key=key,
        chain=[making.certificate.der],
        signer=making.signer,
        salt=partial(secrets.token_bytes, mdoc.SALT_BYTES),
        status=(status.uri, status.index),
    )
    mdoc.authenticate(made, [making.signer.public], point_of)
    return b64u(made)


def _jwt_vc(making: _Making, key: PublicKey, status: StatusRef) -> str:
    issuer = making.call.settings.signs_as
    claims: dict[str, Any] = jwt_vc.build(making.metadata, issuer=issuer, status=(status.uri, status.index))
    claims |= {
        "iat": int(making.signed_at.timestamp()),
        "exp": int(making.expires_at.timestamp()),
        "cnf": key_binding.confirmation(key.jwk()),
    }
    made = jwt_vc.sign(claims, signer=making.signer)
    jwt_vc.authenticate(made, keys={making.signer.kid: making.signer.public}, issuer=issuer)
    return made


_MAKERS: Final[dict[Format, Callable[[_Making, PublicKey, StatusRef], str]]] = {
    Format.SD_JWT: _sd_jwt,
    Format.MDOC: _mdoc,
    Format.JWT_VC: _jwt_vc,
}
