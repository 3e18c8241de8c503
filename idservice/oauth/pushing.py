"""Push an authorization request (RFC 9126 section 2): the rules of the authorization endpoint, answered to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error

from idservice.errors import Problem
from idservice.oauth import authorization, par, request_object, resource_servers
from idservice.oauth.authorization import AuthorizationRefused
from idservice.oauth.request_object import RequestObjectRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.confirmation import Key

_OF_THE_CLIENT = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def push(call: Call, app: App, form: Mapping[str, str], key: Key | None) -> dict[str, Any]:
    """Keep the request that an authenticated app sends, and return its name and how long that is good.

    Args:
        call: the call.
        app: who sends it.
        form: the parameters of the body.
        key: of the DPoP proof that came with it: it must redeem the code (RFC 9449 section 10.1).

    Raises:
        OAuth2Error: what is wrong with the request.
    """
    if "request_uri" in form:
        raise InvalidRequestError("A pushed request does not name another one.")
    sent = [(name, value) for name, value in resource_servers.unfolded(form) if name not in _OF_THE_CLIENT]
    try:
        opened = request_object.opened(call, sent)
        asked = authorization.check(call, opened)
        authorization.refuse_unsigned(asked, is_signed=opened is not sent)
    except (AuthorizationRefused, RequestObjectRefused) as refused:
        code = refused.error if isinstance(refused, AuthorizationRefused) else refused.code
        raise OAuth2Error(refused.description, error=code, status_code=400) from None
    except Problem as problem:
        raise InvalidRequestError(problem.detail) from None
    if key is not None and asked.dpop_jkt not in {None, key.thumbprint}:
        raise OAuth2Error("dpop_jkt is not the key of the proof.", error="invalid_dpop_proof", status_code=400)
    bound = [] if key is None or asked.dpop_jkt is not None else [("dpop_jkt", key.thumbprint)]
    name = par.keep(call, app, [*opened, *bound])
    return {"request_uri": name, "expires_in": int(par.LIFE.total_seconds())}
