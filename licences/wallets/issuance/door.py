"""`@wallet`: the contract of one endpoint that wallets call, OpenID4VCI 1.0, stated once and enforced in one place.

In this order: access token, rate limit, scope or authorization details, body, what is asked of nobody but the request
(proofs and their nonce), transaction, caller, the verb. Refusals are in the form of that standard: JSON with `error`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, g, request

from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.http.endpoint import audit_refusal, house
from idservice.oauth import bearer, possession
from keys.strict_json import StrictJSONError, strict_json
from licences.wallets.issuance.detail_type import OPENID_CREDENTIAL, SCOPE
from licences.wallets.issuance.metadata import FOLDER
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.oauth.bearer import Token

LIMIT: Final = "600/minute"  # of one wallet and person
MAX_BODY: Final = 128 * 1024
MAX_DEPTH: Final = 8

blueprint = Blueprint("wallet_issuance", __name__)
#: How a refusal of ours reads to a wallet (RFC 6750 section 3.1, RFC 9449 section 7.1).
_BEARER_CODES: Final = {401: "invalid_token", 403: "insufficient_scope", 429: "temporarily_unavailable"}


@dataclass(frozen=True, slots=True)
class Operation:
    """An endpoint that wallets call; tests read the list of all of them."""

    name: str
    path: str


OPERATIONS: list[Operation] = []
Prepare = Callable[["House", "Token", Any, datetime], Any]
Verb = Callable[[Call, Any], Response]


def wallet(path: str, *, malformed: Refusal, prepare: Prepare) -> Callable[[Verb], Verb]:
    """Declare the decorated function `(call, prepared)` as an endpoint, by POST, with a transaction that writes.

    Args:
        path: below the folder of these endpoints.
        malformed: what a body is refused with that cannot be read.
        prepare: `(house, token, body, now)`, called outside any transaction; its result is handed to the function.
    """

    def decorate(verb: Verb) -> Verb:
        operation = Operation(f"wallet_issuance.{verb.__name__}", f"{FOLDER}{path}")
        OPERATIONS.append(operation)

        def view() -> Response:
            return _serve(operation, verb, malformed, prepare)

        view.__doc__ = verb.__doc__
        blueprint.add_url_rule(operation.path, verb.__name__, view, methods=["POST"])
        return verb

    return decorate


def _serve(operation: Operation, verb: Verb, malformed: Refusal, prepare: Prepare) -> Response:
    home, address, now = house(), request.remote_addr, datetime.now(UTC)
    token = bearer.of_header(home, request.headers.get("Authorization"), now=now, came=possession.sent(home))
    caller = Caller(channel="api", client_id=token.client_id, address=address)
    home.limiter.check(LIMIT, what="openid4vci", who=f"{token.client_id}|{token.claims['sub']}", address=address)

    def deed(session: Session) -> Response:
        nonlocal caller
        call = Call(home, session, caller, datetime.now(UTC), g.request_id)
        caller = call.caller = bearer.caller(call, token, address=address)
        return verb(call, prepared)

    try:
        bearer.demand(token, SCOPE, OPENID_CREDENTIAL.name)
        prepared = prepare(home, token, _body(malformed), now)
        return home.database.run(deed, write=True)
    except Problem as problem:
        if problem.kind.status == 403:
            audit_refusal(home, operation.name, caller, problem.code)
        raise


def _body(malformed: Refusal) -> Any:
    if request.query_string or request.mimetype != "application/json":
        raise WalletRefused(malformed, "Send application/json, and nothing in the URL.")
    request.max_content_length = MAX_BODY
    try:
        return strict_json(request.get_data(cache=False), max_bytes=MAX_BODY, max_depth=MAX_DEPTH)
    except StrictJSONError as error:
        raise WalletRefused(malformed, f"The JSON was refused: {error.code}.") from None


def json_answer(body: Any, status: int = 200) -> Response:
    """Return an answer that nobody keeps (section 8.3)."""
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(WalletRefused)
def refused(refusal: WalletRefused) -> Response:
    """Return a refusal in the form of section 8.3.1.2."""
    return json_answer({"error": str(refusal.code), "error_description": refusal.description}, 400)


@blueprint.errorhandler(Problem)
def problem(found: Problem) -> Response:
    """Return a problem of this house in the same form, with the headers that say more."""
    status = found.kind.status
    error = _BEARER_CODES.get(status) or ("temporarily_unavailable" if status >= 500 else Refusal.REQUEST)
    response = json_answer({"error": str(error), "error_description": found.detail or found.kind.en}, status)
    response.headers.update(found.headers)
    return response
