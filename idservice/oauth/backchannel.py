"""The back-channel endpoints' door: read a form strictly, authenticate the client, answer in the form of RFC 6749.

Parameters come in the body alone and once each (RFC 6749 section 3.2): a second copy, or one in the URL that ends up in
somebody's log, is refused and not chosen between.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error
from flask import Request, Response
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.http import current
from idservice.http.endpoint import house
from idservice.oauth import client_authentication, mtls, resource_servers
from idservice.oauth.clients import App
from idservice.oauth.server import refusal

FORM = "application/x-www-form-urlencoded"
MAX_PARAMETERS = 32
MAX_VALUE = 16_384
LIMIT = "6000/minute"  # of one client: a city's counters may share one
FAILURE_LIMIT = "60/minute"  # of one address

View = Callable[[House, App, dict[str, str]], Response]


def backchannel(*, public: bool, needs: str) -> Callable[[View], Callable[[], Response]]:
    """Declare the decorated function `(house, app, form)` as a back-channel endpoint.

    Args:
        public: whether clients that cannot authenticate are served.
        needs: the parameter without which nothing is asked.
    """

    def decorate(view: View) -> Callable[[], Response]:
        @wraps(view)
        def serve() -> Response:
            asked = current.asked()
            home = house()
            try:
                form = _form(asked)
                app = _client(home, asked, form, public=public)
                home.limiter.check(LIMIT, what="oauth", who=app.client_id, address=asked.remote_addr)
                if needs not in form:
                    raise InvalidRequestError(f"{needs} is missing.")
            except OAuth2Error as error:
                return refusal(error)
            except Problem as problem:
                return _in_oauth_form(problem)
            try:
                return view(home, app, form)
            except OAuth2Error as error:
                return refusal(error)
            except Problem as problem:
                if problem.code != "too_many_requests":
                    raise
                return _in_oauth_form(problem)

        return serve

    return decorate


def call_of(home: House, session: Session, app: App) -> Call:
    """Return the call of an authenticated client."""
    address = current.asked().remote_addr
    caller = Caller(channel="api", client_id=app.client_id, client_name=app.name, address=address)
    return Call(home, session, caller, datetime.now(UTC), current.kept().request_id)


def _body(asked: Request) -> bytes:
    """Return the body; a short one whose length is stated is read without the means against long ones."""
    stated = asked.environ.get("CONTENT_LENGTH") or ""
    if not stated.isdecimal() or int(stated) > MAX_VALUE:
        return asked.get_data(cache=False)
    body: bytes = asked.environ["wsgi.input"].read(int(stated))
    if len(body) < int(stated):
        raise InvalidRequestError("The body is shorter than its stated length.")
    return body


def _form(asked: Request) -> dict[str, str]:
    environ = asked.environ
    if environ.get("QUERY_STRING"):
        raise InvalidRequestError("Parameters are sent in the body, not in the URL.")
    if environ.get("CONTENT_TYPE") != FORM and asked.mimetype != FORM:
        raise InvalidRequestError(f"Send {FORM}.")
    try:
        sent = parse_qsl(
            _body(asked).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise InvalidRequestError("The body is not a form of at most 32 parameters in UTF-8.") from None
    try:
        folded = resource_servers.folded(sent)  # RFC 8707 section 2: it alone may stand more than once
    except ValueError as error:
        raise OAuth2Error(f"{error}.", error="invalid_target", status_code=400) from None
    form = dict(folded)
    if len(form) < len(folded):
        raise InvalidRequestError("A parameter is sent more than once.")
    if any(len(value) > MAX_VALUE or "\0" in value for value in form.values()):
        raise InvalidRequestError("A parameter is too long or not text.")
    return {name: value for name, value in form.items() if value}  # RFC 6749 section 3.2: no value is no parameter


def _client(home: House, asked: Request, form: dict[str, str], *, public: bool) -> App:
    try:
        return client_authentication.authenticate(
            home,
            form,
            asked.environ.get("HTTP_AUTHORIZATION"),
            now=datetime.now(UTC),
            public=public,
            certificate=mtls.presented(home.settings, asked.environ),
        )
    except InvalidClientError:
        address = asked.remote_addr
        home.limiter.check(FAILURE_LIMIT, what="oauth.client", who=address or "-", address=address)
        raise


def _in_oauth_form(problem: Problem) -> Response:
    response = refusal(OAuth2Error("Too many requests.", error="temporarily_unavailable", status_code=429))
    response.headers.update(problem.headers)
    return response
