"""`@endpoint`: the whole contract of one API operation, stated once and enforced in one place.

In this order: access token, rate limit, scope, body against its schema, transaction, caller, idempotency, the verb, the
answer against its schema, commit. A refusal (403) is audited in a transaction of its own after the rollback. The
same statement feeds the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from flask import Response, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session

from idservice import audit
from idservice.call import Call, Caller, House
from idservice.errors import FieldProblem, Problem
from idservice.http import idempotency
from idservice.http.answers import shower
from idservice.http.application import WholeResponse
from idservice.http.bodies import loader
from idservice.http.openapi import operation_of
from idservice.login import step_up
from idservice.login.levels import LoginTooWeak
from idservice.oauth import bearer, possession
from keys.compact_json import compact_json
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from idservice.db import Database

MAX_BODY = 1024 * 1024
MAX_UPLOAD = 20 * 1024 * 1024
DEFAULT_LIMIT = "6000/minute"  # of one client and person: a city's counters may share one client


@dataclass(frozen=True, slots=True)
class Contract:
    """What an operation demands and promises; `tests/contract` reads the list of all of them."""

    name: str
    method: str
    path: str
    scope: str | None  # None: public
    body: Schema | None
    query: Schema | None
    answer: Schema | None
    status: int
    write: bool
    upload: bool
    limit: str
    fixed: bool
    detail: str | None
    kept: bool

    @property
    def is_keyed(self) -> bool:
        """Return whether a repetition under the same Idempotency-Key gets the first answer again."""
        return self.write and self.method == "POST" and self.kept


CONTRACTS: list[Contract] = []

View = Callable[..., Any]
T = TypeVar("T")

_fixed: WeakKeyDictionary[Database, dict[str, bytes]] = WeakKeyDictionary()
_shower = cache(shower)
_loader = cache(loader)


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    scope: str | None,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
    write: bool = False,
    prepare: View | None = None,
    ask: View | None = None,
    foresee: View | None = None,
    upload: bool = False,
    limit: str = DEFAULT_LIMIT,
    fixed: bool = False,
    detail: str | None = None,
    kept: bool = True,
) -> Callable[[View], View]:
    """Declare the decorated function `(call, **path, body=, query=)` as an operation of the API.

    Args:
        blueprint: where it is mounted.
        method: HTTP method.
        path: Flask rule below the blueprint's prefix.
        scope: the scope the access token must hold; None makes the operation public.
        body: schema of the JSON body (or multipart form where `upload`).
        query: schema of the query parameters; without one, query parameters are refused.
        answer: schema of the result; None where the function returns a Response.
        status: the status of success.
        write: whether the transaction writes.
        prepare: a verb `(call, **path, body=)` run and committed in a transaction before the main one; its result is
            passed to the function as `prepared`. It records an intent before anything is signed.
        ask: a verb `(call, **path, body=, prepared=)` run after that in a transaction that only reads, so that it may
            wait for another service; its result takes the place of `prepared`.
        foresee: a verb `(call, **path, body=)` run before the main transaction in one that only reads, on a database
            that lets one writer write at a time; its result is `call.foreseen` there. It works out what need not keep
            that one writer: it neither decides nor answers anything, and knows the caller only if a file was sent.
        upload: whether the body may be multipart/form-data with files.
        limit: rate limit of one caller.
        fixed: whether the answer follows from the settings alone, so that it is made once.
        detail: the type of authorization details that is as good here as the scope; the verb must then ask for it
            (`authorization_details.demand`).
        kept: whether a repetition under the same Idempotency-Key gets the first answer; never where each needs leave.
    """
    body_schema, query_schema, answer_schema = (kind() if kind else None for kind in (body, query, answer))

    def decorate(function: View) -> View:
        contract = Contract(
            f"{blueprint.name}.{function.__name__}",
            method,
            f"{blueprint.url_prefix or ''}{path}",
            scope,
            body_schema,
            query_schema,
            answer_schema,
            status,
            write,
            upload,
            limit,
            fixed,
            detail,
            kept,
        )
        CONTRACTS.append(contract)

        def view(**values: Any) -> Response:
            return _serve(contract, function, (prepare, ask, foresee), values)

        view.__name__ = function.__name__
        view.__doc__ = function.__doc__
        blueprint.route(path, methods=[method])(blueprint.doc(**operation_of(contract))(view))
        return function

    return decorate


def house() -> House:
    """Return the house this application was built with."""
    return current_app.extensions["ona"]  # type: ignore[no-any-return]


class _Serving:
    """One request on its way through an operation."""

    def __init__(self, contract: Contract, function: View, values: dict[str, Any]) -> None:
        self.contract, self.function, self.values = contract, function, values
        self.home = house()
        self.token: bearer.Token | None = None
        self.key: idempotency.Key | None = None
        self.address = request.remote_addr
        self.caller = Caller(channel="api", address=self.address)
        self.asked: set[str] = set()
        self.aftermath: list[Callable[[Call], None]] = []
        self.foreseen: object = None

    def admit(self) -> None:
        """Refuse what can be refused before a transaction is opened, cheapest first."""
        contract, address = self.contract, self.address
        if contract.scope is not None:
            authorization, came = request.headers.get("Authorization"), possession.sent(self.home)
            self.token = bearer.of_header(self.home, authorization, now=datetime.now(UTC), came=came)
            self.caller = Caller(channel="api", client_id=self.token.client_id, address=address)
        who = "|".join((self.token.client_id, self.token.claims["sub"])) if self.token else address or "-"
        self.home.limiter.check(contract.limit, what=contract.name, who=who, address=address)
        if self.token is not None and contract.scope is not None:
            # After the limit: this refusal writes an audit row.
            bearer.demand(self.token, contract.scope, contract.detail)
        raw, arguments = _arguments(contract)
        self.values |= arguments
        header = request.headers.get("Idempotency-Key") if contract.is_keyed else None
        if header is not None:
            self.key = idempotency.key_of(header, caller=who, method="POST", path=request.path, body=raw)

    def call(self, session: Session) -> Call:
        call = Call(self.home, session, self.caller, datetime.now(UTC), g.request_id)
        if self.token is not None:
            self.caller = call.caller = bearer.caller(call, self.token, address=self.address)
        self.aftermath, call.foreseen = call.aftermath, self.foreseen
        return call

    def run(self, step: Callable[[Session], T], *, write: bool) -> T:
        """Run one step in one transaction; a post used by too weak a login is a refusal like any other."""
        try:
            return self.home.database.run(step, write=write)
        except LoginTooWeak as weak:
            raise step_up.refusal(self.caller, weak.act) from None

    def made_once(self) -> bytes:
        """Return the answer of a fixed operation, as it was made at the first request."""
        made = _fixed.setdefault(self.home.database, {})
        if (data := made.get(self.contract.name)) is None:
            data = made[self.contract.name] = self.run(self.deed, write=False).get_data()
        return data

    def intend(self, prepare: View) -> None:
        """Record the intent in a transaction of its own, unless the deed is already done."""

        def intent(session: Session) -> Any:
            call = self.call(session)
            if self.key is not None and idempotency.replay(call, self.key) is not None:
                return None
            prepared = prepare(call, **self.values)
            self.asked |= call.demanded_details
            return prepared

        self.values["prepared"] = self.run(intent, write=True)

    def wait(self, ask: View) -> None:
        """Let another service be asked while nothing is locked, unless the deed is already done."""
        if self.values["prepared"] is not None:

            def step(session: Session) -> Any:
                return ask(self.call(session), **self.values)

            self.values["prepared"] = self.run(step, write=False)

    def foresee(self, verb: View) -> None:
        """Work out what the one writer need not be kept for; of a file, once, and for nobody whose token has ended."""
        if self.home.database.is_sqlite:

            def step(session: Session) -> object:
                if self.contract.upload and request.mimetype == "multipart/form-data":
                    call = self.call(session)
                    is_done = self.key is not None and idempotency.replay(call, self.key) is not None
                    return None if is_done else verb(call, **self.values)
                return verb(Call(self.home, session, self.caller, datetime.now(UTC), g.request_id), **self.values)

            self.foreseen = self.home.database.run(step, write=False)

    def deed(self, session: Session) -> Response:
        call = self.call(session)
        if self.key is not None and (stored := idempotency.replay(call, self.key)) is not None:
            return json_response(stored[1], stored[0], replayed=True)
        result = self.function(call, **self.values)
        if call.caller.details and self.contract.detail not in {None, *self.asked, *call.demanded_details}:
            raise RuntimeError("a token with authorization details was not asked for them")  # and nothing is done
        if isinstance(result, Response):
            return result
        data = encode(self.contract.answer, result)
        if self.key is not None:
            idempotency.remember(call, self.key, self.contract.status, data)
        return json_response(data, self.contract.status)


def _serve(contract: Contract, function: View, before: tuple[View | None, ...], values: dict[str, Any]) -> Response:
    prepare, ask, foresee = before
    serving = _Serving(contract, function, values)
    try:
        serving.admit()
        if contract.fixed:
            return json_response(serving.made_once(), contract.status)
        if prepare is not None:
            serving.intend(prepare)
        if ask is not None:
            serving.wait(ask)
        if foresee is not None:
            serving.foresee(foresee)
        return serving.run(serving.deed, write=contract.write)
    except Problem as problem:
        if problem.kind.status == 403 or serving.aftermath:
            audit_refusal(serving.home, contract.name, serving.caller, problem.code, serving.aftermath)
        raise


def audit_refusal(
    home: House, what: str, caller: Caller, code: str, aftermath: Sequence[Callable[[Call], None]] = ()
) -> None:
    """Record, in a transaction of its own, that `caller` was refused `what`, and what the deed left to be recorded."""

    def write(session: Session) -> None:
        call = Call(home, session, caller, datetime.now(UTC), g.request_id)
        audit.record(call, audit.Deed.REQUEST_REFUSED, outcome="refused", what=what, code=code)
        for step in aftermath:
            step(call)

    home.database.run(write, write=True)


def encode(schema: Schema | None, result: Any) -> bytes:
    """Return `result` as JSON bytes, through its schema where there is one."""
    shown = _shower(schema)(result) if schema is not None else result
    return compact_json(shown)


def json_response(data: bytes, status: int, *, replayed: bool = False) -> Response:
    """Return `data` as an application/json response."""
    response = WholeResponse(data, status)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _arguments(contract: Contract) -> tuple[bytes, dict[str, Any]]:
    """Return the raw body and the validated `body` and `query` of the request."""
    arguments: dict[str, Any] = {}
    if contract.query is not None:
        arguments["query"] = load(contract.query, single(request.args), where="query")
    elif request.query_string:
        raise Problem("bad_request", "This operation takes no query parameters.")
    if contract.body is None:
        return b"", arguments
    if contract.upload and request.mimetype == "multipart/form-data":
        raw, members = _form()
    else:
        raw, members = _json_body()
    arguments["body"] = load(contract.body, members, where="body")
    return raw, arguments


def _json_body() -> tuple[bytes, Any]:
    if request.mimetype != "application/json":
        raise Problem("media_type", "Send application/json.")
    request.max_content_length = MAX_BODY
    raw = request.get_data(cache=False)
    try:
        return raw, strict_json(raw, max_bytes=MAX_BODY)
    except StrictJSONError as error:
        raise Problem("body_unreadable", f"The JSON was refused: {error.code}.") from None


def _form() -> tuple[bytes, Any]:
    request.max_content_length = MAX_UPLOAD
    members: dict[str, Any] = single(request.form)
    for name, files in request.files.lists():
        if len(files) > 1 or name in members:
            raise Problem("parameter_repeated", f"{name} is given more than once.")
        members[name] = files[0].read()
    return b"".join(_framed(part) for member in members.items() for part in member), members


def _framed(part: str | bytes) -> bytes:
    """Return a name or value of a form with its length, so that no two forms give the same bytes."""
    data = part.encode() if isinstance(part, str) else part
    return len(data).to_bytes(8, "big") + data


def single(parameters: Any) -> dict[str, Any]:
    """Return the parameters of a MultiDict.

    Raises:
        Problem: parameter_repeated, because two readers could each take another one.
    """
    repeated = [name for name, found in parameters.lists() if len(found) > 1]
    if repeated:
        raise Problem("parameter_repeated", f"Given more than once: {', '.join(sorted(repeated))[:200]}.")
    refuse_nul(parameters)
    return dict(parameters.items())


def refuse_nul(parameters: Any) -> None:
    """Refuse U+0000 in any value of a MultiDict: no text has it, and PostgreSQL cannot store it.

    Raises:
        Problem: bad_request.
    """
    if any("\0" in value for _name, value in parameters.items(multi=True)):
        raise Problem("bad_request", "A parameter holds U+0000.")


def load(schema: Schema, members: Any, *, where: str) -> Any:
    """Return `members` validated by `schema`.

    Raises:
        Problem: invalid, naming every faulty member by JSON pointer.
    """
    try:
        return _loader(schema)(members)
    except ValidationError as error:
        raise Problem("invalid", f"The {where} was refused; see errors.", errors=_faults(error.messages)) from None


def _faults(messages: Any, pointer: str = "") -> list[FieldProblem]:
    if isinstance(messages, dict):
        found = []
        for name, inner in messages.items():
            step = "" if name == "_schema" else "/" + str(name).replace("~", "~0").replace("/", "~1")[:64]
            found += _faults(inner, pointer + step)
        return found[:50]
    return [FieldProblem(pointer, "invalid", str(message)[:200]) for message in messages]
