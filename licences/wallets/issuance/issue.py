"""Answer a credential request (签发钱包副本): OpenID4VCI 1.0 sections 8.3, 9 and 11, in the request's transaction."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.errors import Problem
from idservice.ids import secret_hash
from idservice.oauth import authorization_details, clients
from idservice.oauth.profiles import HAIP
from keys.jwk import parse
from licences.deeds import Deed
from licences.life import stop_issuing
from licences.showing import identity
from licences.wallets.issuance import configurations, copies, datasets, making
from licences.wallets.issuance.configurations import Configuration
from licences.wallets.issuance.detail_type import CONFIGURATION, IDENTIFIERS, OPENID_CREDENTIAL
from licences.wallets.issuance.models import WalletDeferral
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.signer import PublicKey
    from licences.models import Licence
    from licences.wallets.issuance.requests import Told, Wanted

WAITS: Final = timedelta(days=30)  # a request whose department has stopped issuing
ASK_AGAIN: Final = 300  # seconds after which a wallet is to ask again
_TABLE: Final = "wallet_deferral"

_deferral = table_of(WalletDeferral)
_WAITING = select(_deferral).where(
    _deferral.c.transaction_hash == bindparam("of"),
    _deferral.c.subject == bindparam("holder"),
    _deferral.c.client_id == bindparam("wallet"),
    _deferral.c.used_at.is_(None),
    _deferral.c.expires_at > bindparam("now", type_=_deferral.c.expires_at.type),
)
_USE_UP = (
    update(_deferral)
    .where(_deferral.c.transaction_hash == bindparam("of"), _deferral.c.used_at.is_(None))
    .values(used_at=bindparam("now", type_=_deferral.c.expires_at.type))
    .returning(_deferral.c.transaction_hash)
)
expiry.sweep_also(WalletDeferral.transaction_hash, WalletDeferral.expires_at, expiry.A_DAY)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a wallet is answered: copies (200), or that it has to wait (202)."""

    body: dict[str, Any]
    status: int = 200


def answer(call: Call, wanted: Wanted, keys: tuple[PublicKey, ...]) -> Answer:
    """Return copies of what a wallet wants, one for each key; 202 while the issuing department has stopped issuing.

    Raises:
        WalletRefused: see `Refusal`.
        Problem: authorization_details_exceeded, unavailable, or what `identity.demand` refuses.
    """
    _refuse_agents(call)
    configuration, licence = _chosen(call, wanted)
    _refuse_form(call, configuration, keys)
    identity.demand(call, {licence.type_code})
    if _is_stopped(call, licence):
        return _defer(call, configuration, licence, keys)
    return _deliver(call, configuration, licence, keys)


def resume(call: Call, transaction: str) -> Answer:
    """Return what a request that had to wait comes to: copies, once, or that it still waits.

    Raises:
        WalletRefused: invalid_transaction_id, or credential_request_denied where the licence has ended meanwhile.
    """
    _refuse_agents(call)
    key = secret_hash(transaction)
    asked = {"of": key, "holder": call.caller.holder, "wallet": call.caller.client_id, "now": call.now}
    row = call.connection.execute(_WAITING, asked).one_or_none()
    if row is None:
        raise WalletRefused(Refusal.TRANSACTION, "The transaction is unknown, over, or not this wallet's.")
    sealed = call.cipher.open(row.wanted_sealed, table=_TABLE, column="wanted_sealed", row=key.hex())
    wanted = json.loads(sealed)
    configuration = configurations.find(call, wanted["configuration"])
    held = datasets.within_reach(call, configuration.type.code) if configuration is not None else []
    licence = next((found for found in held if found.identifier == wanted["licence"]), None)
    if configuration is None or licence is None:
        raise WalletRefused(Refusal.DENIED, "The licence is not in force any more.")
    _refuse_beyond(call, configuration, licence)
    if _is_stopped(call, licence):
        return Answer({"transaction_id": transaction, "interval": ASK_AGAIN}, 202)
    if call.connection.execute(_USE_UP, {"of": key, "now": call.now}).one_or_none() is None:
        raise WalletRefused(Refusal.TRANSACTION, "The transaction is unknown, over, or not this wallet's.")
    answer = _deliver(call, configuration, licence, tuple(parse(jwk) for jwk in wanted["keys"]))
    # Optional (section 9.2), and the wallet library most in use refuses copies that waited and come with one.
    answer.body.pop("notification_id")
    return answer


def note(call: Call, told: Told) -> None:
    """Record what a wallet says of a delivery.

    Raises:
        WalletRefused: invalid_notification_id.
    """
    if call.caller.holder is None or not copies.note(call, call.caller.holder, told.notification, told.event):
        raise WalletRefused(Refusal.NOTIFICATION_ID, "This wallet got nothing under that notification_id.")


def _refuse_agents(call: Call) -> None:
    """Refuse who acts for another: his wallet would keep the copies when the mandate has ended."""
    if call.caller.principal is not None:
        raise WalletRefused(Refusal.DENIED, "Copies are given to holders themselves, not to those who act for them.")


def _chosen(call: Call, wanted: Wanted) -> tuple[Configuration, Licence]:
    """Return configuration and licence, if the token reaches them."""
    if wanted.identifier is not None:
        return _by_identifier(call, wanted.identifier)
    configuration = configurations.find(call, wanted.configuration or "")
    if configuration is None:
        raise WalletRefused(Refusal.CONFIGURATION, "There is no such credential configuration.")
    held = datasets.within_reach(call, configuration.type.code)
    for licence in held:  # the newest that the token reaches
        if _reaches(call, configuration, licence):
            return configuration, licence
    if not held:
        _refuse_beyond(call, configuration, None)
        raise WalletRefused(Refusal.DENIED, "The holder has no licence of this type that is in force.")
    _refuse_beyond(call, configuration, held[0])
    raise WalletRefused(Refusal.DENIED, "The access token does not reach a licence of this type.")


def _by_identifier(call: Call, identifier: str) -> tuple[Configuration, Licence]:
    """Return what a credential identifier names, among what the token's details name."""
    holder = call.caller.holder or ""
    for detail in authorization_details.of_type(call.caller.details, OPENID_CREDENTIAL.name):
        configuration = configurations.find(call, detail[CONFIGURATION])
        if configuration is None:
            continue
        for licence in datasets.within_reach(call, configuration.type.code):
            if datasets.name(call, holder, configuration.name, licence.identifier) == identifier:
                _refuse_beyond(call, configuration, licence)
                return configuration, licence
    raise WalletRefused(Refusal.IDENTIFIER, "The access token reaches no credential of that identifier.")


def _reaches(call: Call, configuration: Configuration, licence: Licence) -> bool:
    try:
        _refuse_beyond(call, configuration, licence)
    except Problem:
        return False
    return True


def _refuse_beyond(call: Call, configuration: Configuration, licence: Licence | None) -> None:
    """Let a token that is confined by details go on only to what they name.

    Raises:
        Problem: authorization_details_exceeded.
    """
    holder = call.caller.holder or ""
    names = None if licence is None else datasets.name(call, holder, configuration.name, licence.identifier)
    what = {CONFIGURATION: configuration.name} | ({IDENTIFIERS: names} if names is not None else {})
    authorization_details.demand(call, OPENID_CREDENTIAL.name, **what)


def _refuse_form(call: Call, configuration: Configuration, keys: tuple[PublicKey, ...]) -> None:
    app = clients.find(call, call.caller.client_id or "")
    if app is not None and app.profile == HAIP and configuration.format not in configurations.OF_HAIP:
        raise WalletRefused(Refusal.DENIED, f"A wallet of profile haip is not given {configuration.format}.")
    if any(key.algorithm not in configurations.KEYS[configuration.format] for key in keys):
        taken = ", ".join(configurations.KEYS[configuration.format])
        raise WalletRefused(Refusal.PROOF, f"Copies of this format are bound to keys for: {taken}.")


def _is_stopped(call: Call, licence: Licence) -> bool:
    try:
        stop_issuing.refuse(call, type_code=licence.type_code, department=licence.issuer_code)
    except Problem as problem:
        if problem.code != "issuing_stopped":
            raise
        return True
    return False


def _deliver(call: Call, configuration: Configuration, licence: Licence, keys: tuple[PublicKey, ...]) -> Answer:
    made = making.make(call, licence, configuration.format, keys)
    notification = secrets.token_urlsafe(24)
    copies.enter(call, call.caller.holder or "", licence, configuration.name, made, notification=notification)
    return Answer({"credentials": [{"credential": copy.content} for copy in made], "notification_id": notification})


def _defer(call: Call, configuration: Configuration, licence: Licence, keys: tuple[PublicKey, ...]) -> Answer:
    transaction = secrets.token_urlsafe(32)
    key = secret_hash(transaction)
    wanted = {
        "configuration": configuration.name,
        "licence": licence.identifier,
        "keys": [proven.jwk() for proven in keys],
    }
    sealed = call.cipher.seal(json.dumps(wanted).encode(), table=_TABLE, column="wanted_sealed", row=key.hex())
    call.connection.execute(
        insert(_deferral),
        {
            "transaction_hash": key,
            "subject": call.caller.holder,
            "client_id": call.caller.client_id,
            "wanted_sealed": sealed,
            "created_at": call.now,
            "expires_at": call.now + WAITS,
            "used_at": None,
        },
    )
    facts: dict[str, Any] = {"licence": licence.identifier, "configuration": configuration.name}
    audit.record(call, Deed.WALLET_COPIES_DEFERRED, subject=call.caller.holder, **facts)
    return Answer({"transaction_id": transaction, "interval": ASK_AGAIN}, 202)
