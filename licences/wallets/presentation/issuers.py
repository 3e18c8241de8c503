"""Issuers elsewhere whose credentials are believed (外部签发方): by a trust bundle of theirs that the operator entered.

Nothing is fetched and nothing in a presentation is asked for trust: keys and status lists are those of the bundle,
which was signed by a key that the operator compared (its pin). Only SD-JWT VCs are taken from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from idservice import audit
from keys.base64url import unb64u
from keys.strict_json import StrictJSONError, strict_json
from keys.verdict import Reason
from licences.deeds import Deed
from licences.formats import key_binding
from licences.formats.disclosures import SDJWTError
from licences.status.token_list import Status, StatusListError
from licences.trust import bundle
from licences.wallets.presentation.models import WalletIssuer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.formats.key_binding import Asked
    from licences.formats.sdjwt import Verified
    from licences.trust.bundle import Bundle

_MAX_PEEK = 65_536


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is known of a credential from elsewhere; `reason` is why it does not hold, None where it does."""

    issuer: str
    type: str
    reason: Reason | None


def put(call: Call, text: str, *, pin: str) -> Bundle:
    """Believe an issuer by its trust bundle, signed by the key with that pin; a newer bundle takes the older's place.

    Raises:
        BundleError: with the code of what is wrong with the bundle; `older`; `own` for this house's.
    """
    found = bundle.read(text, pins=[pin])
    if found.issuer == call.settings.signs_as:
        raise bundle.BundleError("own")
    held = find(call, found.issuer)
    if held is not None and found.sequence < held.sequence:
        raise bundle.BundleError("older")
    row = {"bundle": text.strip().encode("ascii"), "pin": pin, "entered_at": call.now}
    call.session.merge(WalletIssuer(issuer=found.issuer, **row, entered_by=call.caller.name_for_log))
    facts: dict[str, Any] = {"issuer": found.issuer, "sequence": found.sequence, "pin": pin}
    audit.record(call, Deed.WALLET_ISSUER_ENTERED, **facts)
    return found


def remove(call: Call, issuer: str) -> bool:
    """Believe an issuer no more; return whether it was believed."""
    where = delete(WalletIssuer).where(WalletIssuer.issuer == issuer).returning(WalletIssuer.issuer)
    found = call.session.execute(where).first()
    if found is not None:
        audit.record(call, Deed.WALLET_ISSUER_ENTERED, issuer=issuer, sequence=None, pin=None)
    return found is not None


def every(call: Call) -> list[WalletIssuer]:
    """Return the issuers that are believed, by name."""
    return list(call.session.scalars(select(WalletIssuer).order_by(WalletIssuer.issuer)))


def find(call: Call, issuer: str) -> Bundle | None:
    """Return the bundle of an issuer, None where it is not believed."""
    row = call.session.get(WalletIssuer, issuer)
    return None if row is None else bundle.read(row.bundle.decode("ascii"), pins=[row.pin])


def issuer_of(credential: str) -> str | None:
    """Return whom a credential says to be its issuer, to look his keys up by: nothing of it is believed here."""
    parts = credential.split(".", 2)
    try:
        payload = strict_json(unb64u(parts[1]), max_bytes=_MAX_PEEK) if len(parts) == 3 else None
    except (StrictJSONError, ValueError):
        payload = None
    found = payload.get("iss") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None


def believe(call: Call, presentation: str, asked: Asked, *, issuer: str) -> tuple[Verified, Foreign]:
    """Return what a presentation from elsewhere says, if its issuer is believed and its holder signed for us.

    Raises:
        SDJWTError: `issuer`, where he is not believed; what `key_binding.authenticate` refuses.
    """
    held = find(call, issuer)
    if held is None:
        raise SDJWTError("issuer")
    keys = held.keys[bundle.LICENCE]
    found = key_binding.authenticate(presentation, asked, keys=keys, issuer=issuer, now=call.now)
    return found, Foreign(issuer, found.claims["vct"], _reason(call, held, found.claims))


def _reason(call: Call, held: Bundle, claims: Mapping[str, Any]) -> Reason | None:
    """Return why a credential does not hold by the lists in the bundle; what cannot be looked up does not hold."""
    status = claims.get("status")
    place = status.get("status_list") if isinstance(status, dict) else None
    uri, index = (place.get("uri"), place.get("idx")) if isinstance(place, dict) else (None, None)
    listed = held.lists.get(uri) if isinstance(uri, str) else None
    if listed is None or not isinstance(index, int):
        return Reason.STATUS_STALE
    try:
        stands = Status(listed.status(index))
    except (StatusListError, ValueError):
        return Reason.STATUS_STALE
    if stands is not Status.VALID:
        return Reason.REVOKED if stands is Status.INVALID else Reason.SUSPENDED
    moment = call.now.timestamp()
    return Reason.STATUS_STALE if moment >= min(held.expires_at, listed.expires_at) else None
