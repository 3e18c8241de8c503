"""The registration endpoint (RFC 7591 section 3) and the client configuration endpoint (RFC 7592 section 2).

With the header `Dry-Run: true` everything is checked, fetched and answered as in earnest, and nothing is kept: no
client is entered and no use of the initial access token is counted.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Response, g, request

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.http.endpoint import house
from idservice.ids import secret_hash
from idservice.oauth import clients, initial_tokens, mtls, registration, registration_metadata, remote_documents
from idservice.oauth.profiles import TLS_METHODS
from idservice.oauth.registration import Fetched
from idservice.oauth.registration_metadata import MetadataRefused
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.models import Client
    from idservice.oauth.initial_tokens import Permission
    from idservice.oauth.registration_metadata import Stated

blueprint = Blueprint("oauth_registration", __name__)

MAX_BODY = 65_536
LIMIT = "60/minute"  # of one address
DEFAULT_SCOPE = "openid"
NOT_TO_BE_SENT = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)

T = TypeVar("T")


class _Refused(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error = status, error


class _DryRun(Exception):
    """Everything is well; it is rolled back with this."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("dry run")
        self.answer = answer


def _door(view: Callable[..., Response]) -> Callable[..., Response]:
    """Answer refusals in the form of RFC 7591 section 3.2.2."""

    @wraps(view)
    def serve(**values: str) -> Response:
        home = house()
        try:
            home.limiter.check(LIMIT, what="registration", who=request.remote_addr or "-", address=request.remote_addr)
            return view(home, **values)
        except MetadataRefused as refused:
            return _refusal(400, refused.error, str(refused))
        except _Refused as refused:
            return _refusal(refused.status, refused.error, str(refused))
        except Problem as problem:  # the limit
            response = _refusal(problem.kind.status, "temporarily_unavailable", "Too many requests.")
            response.headers.update(problem.headers)
            return response

    return serve


@blueprint.post("/oauth/register")
@_door
def register(home: House) -> Response:
    """Register a client."""
    token, is_dry = _bearer(), _is_dry()
    permission = _run(home, lambda call: initial_tokens.find(call, token), write=False)
    if permission is None:
        raise _unknown_token()
    stated = _stated(home, _members(), unit=permission.name, default_scope=DEFAULT_SCOPE)
    fetched = _fetch(stated)

    def deed(call: Call) -> dict[str, Any]:
        spent: Permission | None = initial_tokens.spend(call, token)
        if spent is None:
            raise _unknown_token()
        answer = registration.register(call, spent, stated, fetched)
        if is_dry:
            raise _DryRun(answer)
        return answer

    try:
        return _json(_run(home, deed, write=True), 201)
    except _DryRun as dry:
        return _dry(dry.answer)


@blueprint.get("/oauth/register/<string(maxlength=64):client_id>")
@_door
def read(home: House, client_id: str) -> Response:
    """Tell a client what is registered of it."""
    token = _bearer()
    return _json(
        _run(home, lambda call: registration.read(call, _own(call, client_id, token), token), write=False), 200
    )


@blueprint.put("/oauth/register/<string(maxlength=64):client_id>")
@_door
def replace(home: House, client_id: str) -> Response:
    """Replace what is registered of a client; what is left out is forgotten."""
    token, is_dry = _bearer(), _is_dry()
    unit, scope = _run(home, lambda call: _unit_and_scope(_own(call, client_id, token)), write=False)
    members = _members()
    secret = _check_identity(members, client_id)
    stated = _stated(home, members, unit=unit, default_scope=scope)
    fetched = _fetch(stated)

    def deed(call: Call) -> dict[str, Any]:
        row = _own(call, client_id, token)
        if secret is not None and not hmac.compare_digest(row.secret_hash or b"", secret_hash(secret)):
            raise MetadataRefused("invalid_client_metadata", "client_secret is not that of the client.")
        answer = registration.replace(call, row, stated, fetched)
        if is_dry:
            raise _DryRun(answer)
        return answer

    try:
        answer = _run(home, deed, write=True)
    except _DryRun as dry:
        return _dry(dry.answer)
    clients.forget(home, client_id)
    return _json(answer, 200)


@blueprint.delete("/oauth/register/<string(maxlength=64):client_id>")
@_door
def remove(home: House, client_id: str) -> Response:
    """End a client."""
    token = _bearer()
    _run(home, lambda call: registration.remove(call, _own(call, client_id, token)), write=True)
    clients.forget(home, client_id)
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _run(home: House, deed: Callable[[Call], T], *, write: bool) -> T:
    caller = Caller(channel="api", address=request.remote_addr)

    def run(session: Session) -> T:
        return deed(Call(home, session, caller, datetime.now(UTC), g.request_id))

    return home.database.run(run, write=write)


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 16 <= len(token) <= 256 or not token.isascii():
        raise _unknown_token()
    return token


def _is_dry() -> bool:
    value = request.headers.get("Dry-Run")
    if value not in {None, "true"}:
        raise _Refused(400, "invalid_request", "Dry-Run is true, or not sent.")
    return value is not None


def _members() -> dict[str, Any]:
    if request.query_string or request.mimetype != "application/json":
        raise _Refused(400, "invalid_request", "Send application/json, and no query.")
    request.max_content_length = MAX_BODY
    try:
        members = strict_json(request.get_data(cache=False), max_bytes=MAX_BODY)
    except StrictJSONError as error:
        raise MetadataRefused("invalid_client_metadata", f"The JSON was refused: {error.code}.") from None
    if not isinstance(members, dict):
        raise MetadataRefused("invalid_client_metadata", "The body is a JSON object.")
    return members


def _stated(home: House, members: dict[str, Any], *, unit: str, default_scope: str) -> Stated:
    loopback = home.settings.insecure_loopback
    stated = registration_metadata.read(members, unit=unit, default_scope=default_scope, loopback=loopback)
    if stated.values["auth_method"] in TLS_METHODS and not mtls.is_configured(home.settings):
        raise MetadataRefused("invalid_client_metadata", "Certificates of clients do not reach this service.")
    return stated


def _fetch(stated: Stated) -> Fetched:
    uri = stated.sector_identifier_uri
    try:
        jwks = remote_documents.keys_at(stated.jwks_uri) if stated.jwks_uri else None
        sector = remote_documents.sector_at(uri, stated.values["redirect_uris"]) if uri else None
    except remote_documents.DocumentRefused as refused:
        raise MetadataRefused("invalid_client_metadata", str(refused)) from None
    return Fetched(jwks, sector)


def _own(call: Call, client_id: str, token: str) -> Client:
    row = registration.find(call, client_id, token)
    if row is None:
        raise _unknown_token()
    return row


def _unit_and_scope(row: Client) -> tuple[str, str]:
    return row.unit, row.scope


def _check_identity(members: dict[str, Any], client_id: str) -> str | None:
    """Check what RFC 7592 section 2.2 says an update must and must not hold; return its secret, where it has one."""
    if members.get("client_id") != client_id or any(name in members for name in NOT_TO_BE_SENT):
        raise MetadataRefused("invalid_client_metadata", f"Send client_id, and none of: {', '.join(NOT_TO_BE_SENT)}.")
    secret = members.get("client_secret")
    if secret is not None and not isinstance(secret, str):
        raise MetadataRefused("invalid_client_metadata", "client_secret is a text.")
    return secret


def _unknown_token() -> _Refused:
    return _Refused(401, "invalid_token", "The token is unknown, used up or over.")


def _refusal(status: int, error: str, description: str) -> Response:
    response = _json({"error": error, "error_description": description}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _dry(answer: dict[str, Any]) -> Response:
    """Answer a dry run: what would be registered, without what nobody will ever hold."""
    unreal = {"client_id", "client_id_issued_at", "client_secret", "client_secret_expires_at"}
    shown = {n: v for n, v in answer.items() if n not in unreal and not n.startswith("registration_")}
    response = _json(shown, 200)
    response.headers["Dry-Run"] = "true"
    return response


def _json(body: dict[str, Any], status: int) -> Response:
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
