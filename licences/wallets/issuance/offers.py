"""Offer a wallet copies of one's own licences (放入钱包): OpenID4VCI 1.0 section 4.1, by value and by reference.

The address that a wallet opens holds the offer itself, or, short enough for any camera, the place where it is fetched.
The second code of an offer is told to the person on his own screen and stands in neither.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from sqlalchemy import insert

from idservice import audit, expiry
from idservice.errors import Problem
from idservice.ids import secret_hash
from idservice.oauth import authorization_details, decision, offers
from idservice.oauth.families import Login
from idservice.oauth.grant_policy import PRE_AUTHORIZED_GRANT
from idservice.oauth.granted import Granted
from licences.deeds import Deed
from licences.showing import identity
from licences.wallets.issuance import datasets
from licences.wallets.issuance.detail_type import CONFIGURATION, IDENTIFIERS, OPENID_CREDENTIAL
from licences.wallets.issuance.metadata import OFFERS
from licences.wallets.issuance.models import WalletOffer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.models import Licence
    from licences.wallets.issuance.configurations import Configuration

SCHEME: Final = "openid-credential-offer://"
_TABLE: Final = "wallet_offer"
_MAX_REFERENCE: Final = 64

expiry.sweep_also(WalletOffer.reference_hash, WalletOffer.expires_at, expiry.A_DAY)


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as its maker gets it, once: addresses for a wallet to open, and the second code, where it needs one."""

    by_value: str
    by_reference: str
    second: str | None
    expires_at: datetime


def make(call: Call, licence: Licence, wanted: Sequence[Configuration], *, allowed: bool = True) -> Offered:
    """Offer a licence of the caller's own in these configurations.

    Args:
        call: the call.
        licence: of the caller's own; it is looked up again.
        wanted: of its type.
        allowed: whether the wallet may take it at once, by a pre-authorized code; else it has to ask the person.

    Raises:
        Problem: forbidden, for whoever acts for another; not_found, where the licence is none of his in force.
        StepUpNeeded, Problem: what `identity.demand` refuses: a copy in a wallet is shown without us.
    """
    person = call.caller.person
    if person is None or call.caller.principal is not None:
        raise Problem("forbidden", "Copies are given to holders themselves, not to those who act for them.")
    held = datasets.within_reach(call, licence.type_code)
    if licence.identifier not in {found.identifier for found in held}:
        raise Problem("not_found", "You hold no such licence that is in force.")
    identity.demand(call, {licence.type_code})
    details = tuple(_detail(call, person, configuration, licence) for configuration in wanted)
    for detail in details:
        what: dict[str, Any] = {name: value for name, value in detail.items() if name != "type"}
        authorization_details.demand(call, OPENID_CREDENTIAL.name, **what)
    if allowed:
        code = offers.allow(call, person, Granted(details=details), _login(call))
        shown = {
            "input_mode": "numeric",
            "length": offers.DIGITS,
            "description": "屏幕上的数字 The digits on the screen",
        }
        grant: dict[str, Any] = {PRE_AUTHORIZED_GRANT: {"pre-authorized_code": code.code, "tx_code": shown}}
        second = code.second
    else:
        grant, second = {"authorization_code": {offers.PARAMETER: offers.invite(call, person)}}, None
    names = [configuration.name for configuration in wanted]
    audit.record(call, Deed.WALLET_OFFERED, subject=person, licence=licence.identifier, configurations=names)
    document = {"credential_issuer": call.settings.issuer, "credential_configuration_ids": names, "grants": grant}
    return _kept(call, document, second)


def fetch(call: Call, reference: str) -> dict[str, Any]:
    """Return the offer of that reference to whoever brings it, as long as it stands.

    Raises:
        Problem: not_found, also for one that is over.
    """
    key = secret_hash(reference[: _MAX_REFERENCE + 1])
    row = call.session.get(WalletOffer, key)
    if row is None or row.expires_at <= call.now:
        raise Problem("not_found", "There is no such offer, or it is over.")
    sealed = call.cipher.open(row.content_sealed, table=_TABLE, column="content_sealed", row=key.hex())
    found: dict[str, Any] = json.loads(sealed)
    return found


def _kept(call: Call, document: dict[str, Any], second: str | None) -> Offered:
    """Keep an offer for those who fetch it, and return how it is handed over."""
    reference, text = secrets.token_urlsafe(32), json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    key, ends = secret_hash(reference), call.now + offers.LIFE
    sealed = call.cipher.seal(text.encode(), table=_TABLE, column="content_sealed", row=key.hex())
    call.session.execute(insert(WalletOffer), {"reference_hash": key, "content_sealed": sealed, "expires_at": ends})
    address = f"{call.settings.issuer}{OFFERS}/{reference}"
    return Offered(
        by_value=f"{SCHEME}?{urlencode({'credential_offer': text})}",
        by_reference=f"{SCHEME}?{urlencode({'credential_offer_uri': address})}",
        second=second,
        expires_at=ends,
    )


def _detail(call: Call, person: str, configuration: Configuration, licence: Licence) -> dict[str, Any]:
    name = datasets.name(call, person, configuration.name, licence.identifier)
    return {"type": OPENID_CREDENTIAL.name, CONFIGURATION: configuration.name, IDENTIFIERS: [name]}


def _login(call: Call) -> Login:
    """Return how the person logged in: to us, or to the app that offers in his name."""
    caller = call.caller
    if caller.channel == "page":
        return decision.login_of(call)
    chain, auth_time = bytes.fromhex(caller.session_id or ""), caller.auth_time or call.now
    return Login(chain, auth_time, list(caller.amr), caller.level, caller.signals)
