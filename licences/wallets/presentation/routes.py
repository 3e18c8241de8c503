"""Requests to wallets: the operations of those who ask, and the addresses that wallets themselves talk to.

The latter speak OpenID4VP 1.0 and RFC 9101, not our problem documents: a form comes, a JWT or a JSON object goes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask_smorest import Blueprint as ApiBlueprint
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.http.endpoint import endpoint, single
from keys.ring import Purpose
from licences.wallets.presentation import requests
from licences.wallets.presentation.request import MEDIA_TYPE
from licences.wallets.presentation.requests import MOST_NONCE, REQUESTS, RESPONSES
from licences.wallets.presentation.response import MAX_RESPONSE
from licences.wallets.presentation.schemas import (
    WalletAnswerBody,
    WalletAnswerSchema,
    WalletRequestBody,
    WalletRequestSchema,
    WalletRequestStateSchema,
)

T = TypeVar("T")

blueprint = ApiBlueprint("wallet_requests", __name__, url_prefix="/v1", description="Ask wallets for licences")
wallet_side = Blueprint("openid4vp", __name__)

LIMIT: Final = "240/minute"  # of one address: many telephones share one
KEYS: Final = "/wallet/jwks.json"
_FORM: Final = "application/x-www-form-urlencoded"
_REFUSALS: Final = {400: "invalid_request", 404: "invalid_request", 415: "invalid_request", 413: "invalid_request"}


@endpoint(
    blueprint,
    "POST",
    "/wallet-requests",
    scope="verifications.create",
    body=WalletRequestBody,
    answer=WalletRequestSchema,
    status=201,
    write=True,
    limit="60/minute",
)
def ask_wallet(call: Call, body: dict[str, Any]) -> requests.Asked:
    """Ask a wallet for credentials: fetched, answered and read once each, within three minutes."""
    return requests.ask(call, body)


@endpoint(
    blueprint,
    "GET",
    "/wallet-requests/<request_id>",
    scope="verifications.create",
    answer=WalletRequestStateSchema,
)
def wallet_request_state(call: Call, request_id: str) -> dict[str, Any]:
    """Say what became of a request: waiting, fetched, given, refused, read or expired."""
    found = requests.own(call, request_id)
    return {"id": request_id, "state": requests.state(call, found), "expires_at": found.expires_at}


@endpoint(
    blueprint,
    "POST",
    "/wallet-requests/<request_id>/verifications",
    scope="verifications.create",
    body=WalletAnswerBody,
    answer=WalletAnswerSchema,
    status=201,
    write=True,
)
def read_wallet_answer(call: Call, request_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Read the wallet's answer, once: the report of a verification. It is on the holder's record then."""
    found = requests.read(call, request_id, response_code=body.get("response_code"))
    report = {**found.report.as_json(), "at": call.now}
    return {"check_number": found.check_number, "report": report, "credentials": found.credentials}


@wallet_side.get(f"{REQUESTS}<code>")
def request_object(code: str) -> Response:
    """Answer with the signed request object (RFC 9101 section 5.2.3)."""
    if request.method == "HEAD":  # of a program that only looks where a link leads: it uses nothing up
        return Response(mimetype=MEDIA_TYPE)
    return _request_object(code, None)


@wallet_side.post(f"{REQUESTS}<code>")
def request_object_for(code: str) -> Response:
    """Answer the same to a wallet that sends a nonce of its own, with it (OpenID4VP 1.0 section 5.10)."""
    try:
        nonce = _form().get("wallet_nonce")
    except Problem as problem:
        return _refusal(problem)
    if nonce is not None and not 0 < len(nonce) <= MOST_NONCE:
        return _refusal(Problem("bad_request", "wallet_nonce is too long."))
    return _request_object(code, nonce)


@wallet_side.post(f"{RESPONSES}<code>")
def response(code: str) -> Response:
    """Take a wallet's answer (OpenID4VP 1.0 section 8.2) and say where its holder goes on."""
    try:
        _admit()
        form = _form()
        weighed = _run(lambda call: requests.weigh(call, code, form), write=False)
        told = _run(lambda call: requests.take(call, code, weighed))
    except Problem as problem:
        return _refusal(problem)
    return jsonify(told)


@wallet_side.get(KEYS)
def keys() -> Response:
    """Answer with the keys that sign requests, for wallets that know this verifier beforehand."""
    found = jsonify(_house().keys.jwks(Purpose.VERIFIER))
    found.headers["Cache-Control"] = "public, max-age=300"
    return found


def _request_object(code: str, nonce: str | None) -> Response:
    try:
        _admit()
        return Response(_run(lambda call: requests.fetch(call, code, wallet_nonce=nonce)), mimetype=MEDIA_TYPE)
    except Problem as problem:
        return _refusal(problem)


def _admit() -> None:
    _house().limiter.check(LIMIT, what="openid4vp", who=request.remote_addr or "-", address=request.remote_addr)


def _run(deed: Callable[[Call], T], *, write: bool = True) -> T:
    """Do what a wallet asks for in one transaction: nobody is logged in, the code says what it is about."""
    home, caller = _house(), Caller(channel="api", address=request.remote_addr)

    def step(session: Session) -> T:
        return deed(Call(home, session, caller, datetime.now(UTC), g.request_id))

    return home.database.run(step, write=write)


def _form() -> dict[str, str]:
    if request.query_string:
        raise Problem("bad_request", "Parameters are sent in the body, not in the URL.")
    if request.mimetype != _FORM and (request.mimetype or request.content_length):  # nothing at all is an empty form
        raise Problem("media_type", f"Send {_FORM}.")
    if (request.content_length or 0) > 2 * MAX_RESPONSE:  # as percent signs make it longer
        raise Problem("too_large", "too_large.")
    return single(request.form)


def _refusal(problem: Problem) -> Response:
    """Return a problem in the form of RFC 6749 section 5.2, with our own code beside."""
    status = problem.kind.status
    error = _REFUSALS.get(status, "temporarily_unavailable")
    answer = jsonify(error=error, error_description=problem.detail or problem.kind.en, code=problem.code)
    answer.status_code = status
    answer.headers.update(problem.headers)
    return answer


def _house() -> House:
    return current_app.extensions["ona"]  # type: ignore[no-any-return]
