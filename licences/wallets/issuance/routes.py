"""The endpoints that wallets call (OpenID4VCI 1.0 sections 4, 7 to 9, 11, 12), and the holder's API beside them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Response, g, request
from flask_smorest import Blueprint

from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.http.endpoint import endpoint, house
from idservice.oauth import clients, dpop
from idservice.oauth.profiles import HAIP
from keys.ring import Purpose
from licences import change
from licences.artefacts import VCT_PATH
from licences.wallets.issuance import (
    attestations,
    configurations,
    copies,
    issue,
    metadata,
    nonces,
    offers,
    proofs,
    requests,
)
from licences.wallets.issuance.detail_type import OPENID_CREDENTIAL, SCOPE
from licences.wallets.issuance.door import blueprint, json_answer, wallet
from licences.wallets.issuance.encryption import MEDIA_TYPE
from licences.wallets.issuance.refusals import Refusal, WalletRefused
from licences.wallets.issuance.schemas import (
    WalletCopiesEndedSchema,
    WalletCopiesEndingBody,
    WalletCopyGroups,
    WalletOfferBody,
    WalletOfferSchema,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.oauth.bearer import Token
    from keys.signer import PublicKey
    from licences.wallets.issuance.encryption import Envelope
    from licences.wallets.issuance.issue import Answer
    from licences.wallets.issuance.requests import Told, Waiting, Wanted

PUBLIC_LIMIT = "600/minute"  # of one address
holders = Blueprint("wallet_copies", __name__, url_prefix="/v1", description="Copies of licences in wallets")


@blueprint.get(metadata.PATH)
def issuer_metadata() -> Response:
    """Describe this issuer; signed where the caller asks for a JWT (section 12.2.2)."""
    wants_jwt = request.accept_mimetypes.best_match(["application/json", metadata.SIGNED]) == metadata.SIGNED
    content: str | bytes = _reading(metadata.signed if wants_jwt else metadata.document)
    response = Response(content, mimetype=metadata.SIGNED if wants_jwt else "application/json")
    response.vary.add("Accept")
    return _public(response)


@blueprint.get(f"{VCT_PATH}/<type_code>")
def credential_type(type_code: str) -> Response:
    """Describe a type of credential at the address that its credentials name (`vct`)."""
    found = _reading(lambda call: metadata.of_type(call, type_code))
    if found is None:
        raise Problem("not_found", "There is no such credential type.")
    return _public(Response(json.dumps(found, ensure_ascii=False), mimetype="application/json"))


@blueprint.get(f"{metadata.OFFERS}/<reference>")
def offer(reference: str) -> Response:
    """Hand an offer to whoever brings its reference (section 4.1.3)."""
    return json_answer(_reading(lambda call: offers.fetch(call, reference)))


@blueprint.post(f"{metadata.FOLDER}/nonce")
def nonce() -> Response:
    """Give a challenge for proofs (section 7), and one for DPoP."""
    home, now = _house(), datetime.now(UTC)
    response = json_answer({"c_nonce": nonces.make(home, now)})
    response.headers["DPoP-Nonce"] = dpop.nonce(home.keys.secret(Purpose.SESSION), now)
    return response


def _proven(home: House, token: Token, body: Any, now: datetime) -> tuple[Wanted, tuple[PublicKey, ...]]:
    """Read a credential request, and use up the nonce of its proofs."""
    wanted = requests.wanted(body)
    app = clients.find_outside(home, token.client_id, now)
    terms = proofs.Terms(
        issuer=home.settings.issuer,
        client_id=token.client_id,
        now=now,
        makers=attestations.makers(home.settings),
        must_be_attested=app is None or app.profile == HAIP,
    )
    proven = proofs.of_maker(wanted.proofs[0], terms) if wanted.is_attested else proofs.verify(wanted.proofs, terms)
    if not nonces.use(home, proven.nonce, now):
        raise WalletRefused(Refusal.NONCE, "The nonce is unknown, over or used: get one from the nonce endpoint.")
    return wanted, proven.keys


@wallet("/credential", malformed=Refusal.REQUEST, prepare=_proven)
def credential(call: Call, prepared: tuple[Wanted, tuple[PublicKey, ...]]) -> Response:
    """Give copies, one for each key that was proven (section 8)."""
    wanted, keys = prepared
    return _answer(issue.answer(call, wanted, keys), wanted.envelope)


@wallet(
    "/deferred_credential",
    malformed=Refusal.REQUEST,
    prepare=lambda _home, _token, body, _now: requests.waiting(body),
)
def deferred_credential(call: Call, prepared: Waiting) -> Response:
    """Give the copies that had to wait, or say that they still have to (section 9)."""
    return _answer(issue.resume(call, prepared.transaction), prepared.envelope)


@wallet(
    "/notification",
    malformed=Refusal.NOTIFICATION,
    prepare=lambda _home, _token, body, _now: requests.told(body),
)
def notification(call: Call, prepared: Told) -> Response:
    """Hear what became of a delivery (section 11)."""
    issue.note(call, prepared)
    return Response(status=204)


@endpoint(
    holders,
    "POST",
    "/wallet-offers",
    scope=SCOPE,
    body=WalletOfferBody,
    answer=WalletOfferSchema,
    status=201,
    write=True,
    limit="60/minute",
    detail=OPENID_CREDENTIAL.name,
)
def offer_licence(call: Call, body: dict[str, Any]) -> offers.Offered:
    """Offer a wallet copies of one of the holder's licences: taken once, within five minutes."""
    licence = change.find_readable(call, body["licence"])
    wanted = [configurations.find(call, f"{licence.type_code}.{form}") for form in body["forms"]]
    found = [configuration for configuration in wanted if configuration is not None]
    return offers.make(call, licence, found, allowed=body["grant"] == "pre_authorized_code")


@endpoint(holders, "GET", "/wallet-copies", scope="consents.manage", answer=WalletCopyGroups)
def list_copies(call: Call) -> dict[str, Any]:
    """Say which wallets hold copies of the holder's licences."""
    return {"items": copies.of_holder(call, _holder(call)), "next_cursor": None}


@endpoint(
    holders,
    "POST",
    "/wallet-copies/revocations",
    scope="consents.manage",
    body=WalletCopiesEndingBody,
    answer=WalletCopiesEndedSchema,
    status=201,
    write=True,
)
def end_copies(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """End the holder's copies for good: those in one wallet, of one licence, or all. The licence itself stays."""
    ended = copies.end(
        call, _holder(call), reason="holder", client_id=body.get("client_id"), identifier=body.get("licence")
    )
    return {"ended": ended, "at": call.now}


def _holder(call: Call) -> str:
    if call.caller.holder is None:
        raise Problem("forbidden", "Only a logged-in holder has copies of his own.")
    return call.caller.holder


def _answer(found: Answer, envelope: Envelope | None) -> Response:
    if envelope is None:
        return json_answer(found.body, found.status)
    response = Response(envelope.close(found.body), found.status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _public(response: Response) -> Response:
    """Return an answer that anybody may keep for a while."""
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"  # a wallet may be a page of somebody else's
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]


def _house() -> House:
    home, address = house(), request.remote_addr
    home.limiter.check(PUBLIC_LIMIT, what="openid4vci.public", who=address or "-", address=address)
    return home


def _reading(deed: Callable[[Call], Any]) -> Any:
    """Return what a deed for anybody reads."""
    home = _house()
    caller = Caller(channel="api", address=request.remote_addr)

    def run(session: Session) -> Any:
        return deed(Call(home, session, caller, datetime.now(UTC), g.request_id))

    return home.database.run(run, write=False)
