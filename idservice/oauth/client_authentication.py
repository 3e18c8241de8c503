"""Who is this client? RFC 6749 section 2.3: one method, the registered one, at every back-channel endpoint."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from idservice.oauth import assertion, client_keys, clients, mtls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import House
    from idservice.oauth.clients import App


def authenticate(
    house: House,
    form: Mapping[str, str],
    authorization: str | None,
    *,
    now: datetime,
    public: bool = True,
    certificate: bytes | None = None,
) -> App:
    """Return the client of a back-channel request; must be called outside a transaction.

    Args:
        house: the house.
        form: the parameters of the body.
        authorization: the Authorization header.
        now: the time of the request.
        public: whether clients that cannot authenticate are served here.
        certificate: that the sender showed to the proxy, DER.

    Raises:
        InvalidRequestError: two methods at once, or two client identifiers.
        InvalidClientError: not who it says it is, or not by its registered method.
    """
    tried = [
        method
        for method, is_tried in (
            ("client_secret_basic", authorization is not None),
            ("client_secret_post", "client_secret" in form),
            ("private_key_jwt", "client_assertion" in form or "client_assertion_type" in form),
        )
        if is_tried
    ]
    if len(tried) > 1:
        raise InvalidRequestError("More than one client authentication method is used.")
    method = tried[0] if tried else "none"
    app = _by_method(house, method, form, authorization or "", now)
    if method == "none" and app is not None and certificate is not None:
        app = client_keys.learn_certificate(house, app, certificate, now)
    if method == "none" and app is not None and mtls.is_clients(house.settings, app, certificate, now=now):
        method = app.auth_method
    if app is None or app.auth_method != method or (method == "none" and not public):
        raise InvalidClientError("Client authentication failed.", status_code=401)
    if form.get("client_id", app.client_id) != app.client_id:
        raise InvalidRequestError("client_id is not that of the authenticated client.")
    return app


def _by_method(house: House, method: str, form: Mapping[str, str], authorization: str, now: datetime) -> App | None:
    if method == "client_secret_basic":
        return _by_secret(house, *_basic(authorization), now)
    if method == "client_secret_post":
        return _by_secret(house, form.get("client_id", ""), form["client_secret"], now)
    if method == "private_key_jwt":
        if form.get("client_assertion_type") != assertion.ASSERTION_TYPE or "client_assertion" not in form:
            raise InvalidRequestError("client_assertion and its type belong together.")
        return assertion.authenticate(house, form["client_assertion"], now=now)
    return clients.find_outside(house, form.get("client_id", ""), now)


def _by_secret(house: House, client_id: str, secret: str, now: datetime) -> App | None:
    app = clients.find_outside(house, client_id, now)
    return app if app is not None and app.check_secret(secret) else None


def _basic(authorization: str) -> tuple[str, str]:
    """Return identifier and secret of a Basic header (RFC 7617), or two empty strings for anything else."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    client_id, colon, secret = pair.partition(":")
    return (unquote(client_id), unquote(secret)) if colon else ("", "")
