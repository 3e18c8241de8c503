"""The provider's own endpoints: token, introspection, revocation, userinfo, metadata and keys.

They speak the formats of their standards (RFC 6749, 7009, 7662, 8414, OpenID Connect), not our problem documents.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.http.application import WholeResponse
from idservice.http.endpoint import house
from idservice.oauth import (
    bearer,
    client_keys,
    families,
    introspection,
    metadata,
    possession,
    pushing,
    response_jwt,
    revocation,
    server,
    userinfo,
)
from idservice.oauth.authorize_routes import blueprint as authorize_blueprint
from idservice.oauth.backchannel import backchannel, call_of
from idservice.oauth.end_session_routes import blueprint as end_session_blueprint
from idservice.oauth.pending_routes import blueprint as pending_blueprint
from idservice.oauth.token_request import TokenRequest
from keys.compact_json import compact_json
from keys.ring import Purpose

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState

    from idservice.http.prepared import Shelf
    from idservice.oauth.clients import App
    from idservice.oauth.codes import Reused

blueprint = Blueprint("oauth", __name__)
BLUEPRINTS = (blueprint, authorize_blueprint, pending_blueprint, end_session_blueprint)

CACHEABLE = "public, max-age=300"
PUBLIC_LIMIT = "60/minute"  # of one address: anybody may say he is a public client


class _Refused(Exception):
    def __init__(self, response: Response, asked: TokenRequest) -> None:
        super().__init__("rolled back")
        self.response = response
        self.reused: Reused | None = asked.reused
        self.afterwards = asked.afterwards


@blueprint.post("/oauth/token")
@backchannel(public=True, needs="grant_type")
def token(home: House, app: App, form: dict[str, str]) -> Response:
    """Issue tokens: the whole request is one transaction, and a refusal leaves nothing behind."""
    key = possession.of_client(home, app, possession.sent(home), now=datetime.now(UTC))

    def deed(session: Session) -> Response:
        asked = TokenRequest(call_of(home, session, app), app, form, key)
        response = server.answer(asked)
        if response.status_code != 200 and not asked.keeps_refusal:
            raise _Refused(response, asked)
        return response

    try:
        return home.database.run(deed, write=True)
    except _Refused as refused:
        if (reused := refused.reused) is not None:
            home.database.run(
                lambda session: families.kill(
                    call_of(home, session, app), reused.subject, reused.family_id, reason="reuse"
                ),
                write=True,
            )
        if (afterwards := refused.afterwards) is not None:
            home.database.run(lambda session: afterwards(call_of(home, session, app)), write=True)
        return refused.response


@blueprint.post("/oauth/par")
@backchannel(public=True, needs="client_id")
def pushed(home: House, app: App, form: dict[str, str]) -> Response:
    """Keep an authorization request that the app sends ahead (RFC 9126)."""
    if app.is_public:
        home.limiter.check(PUBLIC_LIMIT, what="oauth.par", who=request.remote_addr or "-", address=request.remote_addr)
    key = possession.of_proof(home, possession.sent(home), now=datetime.now(UTC))
    if (signed := form.get("request")) is not None:
        client_keys.learn(home, app.client_id, signed, datetime.now(UTC))
    answer = home.database.run(lambda session: pushing.push(call_of(home, session, app), app, form, key), write=True)
    response = _json(answer)
    response.status_code = 201
    return response


@blueprint.post("/oauth/introspect")
@backchannel(public=False, needs="token")
def introspect(home: House, app: App, form: dict[str, str]) -> Response:
    """Say whether a token is active (RFC 7662), signed where the caller asks for that (RFC 9701)."""
    is_signed = _is_signed_wanted()

    def deed(session: Session) -> Response:
        call = call_of(home, session, app)
        found = introspection.introspect(call, app, form)
        if not is_signed:
            return _json(found)
        return Response(response_jwt.introspection(call, app, found), mimetype=response_jwt.INTROSPECTION)

    return home.database.run(deed, write=False)


def _is_signed_wanted() -> bool:
    """Return whether the caller takes a signed answer as gladly as any (RFC 9701 section 4); most never name it."""
    if response_jwt.INTROSPECTION not in request.environ.get("HTTP_ACCEPT", "").lower():
        return False
    offered = (response_jwt.INTROSPECTION, "application/json")
    return request.accept_mimetypes.best_match(offered) == response_jwt.INTROSPECTION


@blueprint.post("/oauth/revoke")
@backchannel(public=True, needs="token")
def revoke(home: House, app: App, form: dict[str, str]) -> Response:
    """End a token (RFC 7009)."""
    with suppress(IntegrityError):  # a parallel request ended the same token first
        home.database.run(lambda session: revocation.revoke(call_of(home, session, app), app, form), write=True)
    return _json({})


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo_endpoint() -> Response:
    """Release the consented claims to the bearer of an access token (OpenID Connect Core 1.0 section 5.3)."""
    home, now = house(), datetime.now(UTC)
    access_token = bearer.read(home, _authorization(), scope="openid", now=now, came=possession.sent(home))

    def deed(session: Session) -> dict[str, Any]:
        caller = Caller(channel="api", client_id=access_token.client_id, address=request.remote_addr)
        return userinfo.claims(Call(home, session, caller, now, g.request_id), access_token)

    return _json(home.database.run(deed, write=False))


def _authorization() -> str | None:
    """Return the Authorization header, or the form's token in its place (RFC 6750 section 2.2); never the URL's."""
    if "access_token" in request.args:
        raise Problem("bad_request", "An access token does not belong into a URL.")
    header = request.headers.get("Authorization")
    sent = request.form.getlist("access_token") if request.method == "POST" else []
    if not sent:
        return header
    if header is not None or len(sent) > 1:
        raise Problem("bad_request", "Send the access token once.")
    return f"Bearer {sent[0]}"


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Keep metadata and keys ready: the former follow from the settings, the latter from the ring."""
    shelf: Shelf = state.app.shelf  # type: ignore[attr-defined]
    home: House = state.app.extensions["ona"]
    for name in ("openid-configuration", "oauth-authorization-server"):
        shelf.put(f"/.well-known/{name}", route="oauth.configuration", version=lambda: home.settings)
    shelf.put("/.well-known/jwks.json", route="oauth.jwks", version=home.keys.version)


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def configuration() -> Response:
    """Describe the provider (OpenID Connect Discovery 1.0, RFC 8414)."""
    return _json(metadata.document(house().settings), cache=CACHEABLE)


@blueprint.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Publish the keys that verify ID tokens and access tokens."""
    keys = house().keys.jwks(Purpose.ID_TOKEN, Purpose.ACCESS_TOKEN)
    return _json(keys, cache=CACHEABLE)


@blueprint.get("/.well-known/consent-receipt-jwks.json")
def receipt_jwks() -> Response:
    """Publish the keys that verify consent receipts: a set of its own, for no receipt shall pass for a token."""
    return _json(house().keys.jwks(Purpose.RECEIPT), cache=CACHEABLE)


def _json(body: dict[str, Any], *, cache: str = "no-store") -> Response:
    return WholeResponse(compact_json(body), headers={"Cache-Control": cache})
