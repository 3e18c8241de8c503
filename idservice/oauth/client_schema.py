"""The settings of a client as administrators and operators write them: one document, any member of which may be absent.

What the members mean is told by `clients.checked`, whose rules they must keep as well.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from idservice.http.line import Line
from idservice.oauth.clients import AUTH_METHODS, GRANT_TYPES
from idservice.oauth.grant_policy import PING, POLL
from idservice.oauth.mtls import HASHES
from idservice.oauth.profiles import PROFILES, Demand
from idservice.oauth.redirects import MAX_LENGTH

_URI = validate.Length(1, MAX_LENGTH)
_NAME = validate.Length(1, 256)


def _texts(*checks: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=list(checks)), validate=validate.Length(max=64))


def _is_key_set(value: Any) -> None:
    keys = value.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValidationError("A JWK Set: keys, an array of objects.")


class CertificateSettingsSchema(Schema):
    """How a client's TLS certificate is known: by one name in it, or by its hashes (RFC 8705 section 2)."""

    tls_client_auth_subject_dn = fields.String(validate=_NAME)
    tls_client_auth_san_dns = fields.String(validate=_NAME)
    tls_client_auth_san_uri = fields.String(validate=_URI)
    hashes = fields.List(fields.String(validate=validate.Length(equal=43)), data_key=HASHES, attribute=HASHES)


class LogoutSettingsSchema(Schema):
    """Where a client wants to hear of a logout."""

    backchannel_logout_uri = fields.String(validate=_URI)
    backchannel_logout_session_required = fields.Boolean()
    frontchannel_logout_uri = fields.String(validate=_URI)
    frontchannel_logout_session_required = fields.Boolean()


class PolicySettingsSchema(Schema):
    """CIBA and token exchange: how the client hears of answers, for whom it exchanges, and who acts with its tokens."""

    delivery = fields.String(load_default=POLL, validate=validate.OneOf([POLL, PING]))
    notification_endpoint = fields.String(load_default=None, allow_none=True, validate=_URI)
    audiences = fields.List(fields.String(validate=validate.Length(1, 512)), load_default=list)
    actor = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 40))


class ClientSettingsSchema(Schema):
    """What is registered of an app; a member that is given replaces what stood there."""

    name = Line(128)
    unit = Line(256)
    auth_method = fields.String(validate=validate.OneOf(AUTH_METHODS))
    grant_types = _texts(validate.OneOf(GRANT_TYPES))
    scope = fields.String(validate=validate.Length(1, 1024))
    redirect_uris = _texts(_URI)
    post_logout_redirect_uris = _texts(_URI)
    profile = fields.String(validate=validate.OneOf(PROFILES))
    demands = _texts(validate.OneOf([str(demand) for demand in Demand]))
    certificate = fields.Nested(CertificateSettingsSchema, allow_none=True)
    sector = fields.String(allow_none=True, validate=_NAME)
    departments = _texts(validate.Length(1, 18))
    policy = fields.Nested(PolicySettingsSchema)
    logout = fields.Nested(LogoutSettingsSchema, allow_none=True)
    jwks = fields.Dict(allow_none=True, validate=_is_key_set)
    jwks_uri = fields.String(allow_none=True, validate=_URI)
    authorization_details_types = _texts(validate.Length(1, 64))
    resources = _texts(validate.Length(1, 512))


def load_settings(members: Any) -> dict[str, Any]:
    """Return the settings of a client that somebody wrote.

    Raises:
        ValidationError: see the message.
    """
    found: dict[str, Any] = ClientSettingsSchema().load(members)
    return found
