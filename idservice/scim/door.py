"""`@scim`: the contract of one SCIM operation, RFC 7644 section 3, stated once and enforced in one place.

In the order of `http.endpoint`: access token, rate limit, scope, body, transaction, caller, reach, the verb, the answer
with its version. Refusals are translated by `http.problems`, which knows SCIM's form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, g, request

from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.http.endpoint import audit_refusal, house, single
from idservice.oauth import bearer, possession
from idservice.scim import reach as reaching
from idservice.scim import versions
from idservice.scim.errors import MEDIA_TYPE, PREFIX
from idservice.scim.reach import Reach
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

READ, WRITE = "scim.read", "scim.write"
LIMIT: Final = "1200/minute"  # of one client
MAX_BODY: Final = 256 * 1024
MAX_DEPTH: Final = 8

blueprint = Blueprint("scim", __name__, url_prefix=PREFIX)


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation demands; tests read the list of all of them."""

    name: str
    method: str
    path: str
    scope: str


OPERATIONS: list[Operation] = []


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a request: its query, its body, and the version that it is to be done to."""

    query: Mapping[str, str]
    body: Any
    if_match: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb answers: a document or nothing, and its status."""

    document: dict[str, Any] | None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Verb = Callable[..., Answer]


def scim(method: str, path: str, *, scope: str, body: bool = False, write: bool = False) -> Callable[[Verb], Verb]:
    """Declare the decorated function `(call, reach, sent, **path)` as an operation.

    Args:
        method: HTTP method.
        path: Flask rule below `/scim/v2`.
        scope: the scope the access token must hold.
        body: whether a JSON body is read.
        write: whether the transaction writes.
    """

    def decorate(verb: Verb) -> Verb:
        operation = Operation(f"scim.{verb.__name__}", method, f"{PREFIX}{path}", scope)
        OPERATIONS.append(operation)

        def view(**values: Any) -> Response:
            return _serve(operation, verb, values, has_body=body, write=write)

        view.__doc__ = verb.__doc__
        blueprint.add_url_rule(path, verb.__name__, view, methods=[method])
        return verb

    return decorate


def _serve(operation: Operation, verb: Verb, values: dict[str, Any], *, has_body: bool, write: bool) -> Response:
    home, address = house(), request.remote_addr
    came = possession.sent(home)
    token = bearer.of_header(home, request.headers.get("Authorization"), now=datetime.now(UTC), came=came)
    caller = Caller(channel="api", client_id=token.client_id, address=address)
    who = f"{token.client_id}|{token.claims['sub']}"
    home.limiter.check(LIMIT, what="scim", who=who, address=address)

    def deed(session: Session) -> Answer:
        nonlocal caller
        call = Call(home, session, caller, datetime.now(UTC), g.request_id)
        caller = call.caller = bearer.caller(call, token, address=address)
        reach: Reach = reaching.of(call)
        return verb(call, reach, sent, **values)

    try:
        bearer.demand(token, operation.scope)
        sent = Sent(single(request.args), _body() if has_body else None, request.headers.get("If-Match"))
        return _response(home.database.run(deed, write=write))
    except Problem as problem:
        if problem.kind.status == 403:
            audit_refusal(home, operation.name, caller, problem.code)
        raise


def _body() -> Any:
    if request.mimetype not in {MEDIA_TYPE, "application/json"}:
        raise Problem("media_type", f"Send {MEDIA_TYPE}.")
    request.max_content_length = MAX_BODY
    try:
        return strict_json(request.get_data(cache=False), max_bytes=MAX_BODY, max_depth=MAX_DEPTH)
    except StrictJSONError as error:
        raise Problem("body_unreadable", f"The JSON was refused: {error.code}.") from None


def _response(answer: Answer) -> Response:
    """Return the answer: with the version of a single resource, and no body for whoever has that version."""
    document, headers = answer.document, dict(answer.headers)
    if document is None:
        return Response(status=answer.status, headers=headers)
    if (version := document.get("meta", {}).get("version")) is not None:
        headers["ETag"] = version
        known = request.headers.get("If-None-Match")
        if request.method == "GET" and known is not None and versions.names(known, version):
            return Response(status=304, headers=headers)
    return Response(json.dumps(document, ensure_ascii=False), answer.status, headers, content_type=MEDIA_TYPE)
