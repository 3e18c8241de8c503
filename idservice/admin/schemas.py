"""What the API of administration takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.accesses import PageQuery
from idservice.admin.acts import RiskyAct
from idservice.admin.roles import Role
from idservice.http.line import Line
from idservice.oauth.client_schema import ClientSettingsSchema
from idservice.oauth.clients import AUTH_METHODS, GRANT_TYPES
from idservice.register.schemas import MandateSchema

_ID = validate.Regexp(r"^[0-9a-f]{32}\Z")


class ClientCreateBody(ClientSettingsSchema):
    """A new app. A secret, where its method has one, is made here and shown once."""

    client_id = fields.String(validate=validate.Length(1, 40))
    name = Line(128, required=True)
    unit = Line(256, required=True)
    auth_method = fields.String(required=True, validate=validate.OneOf(AUTH_METHODS))
    grant_types = fields.List(fields.String(validate=validate.OneOf(GRANT_TYPES)), required=True)
    scope = fields.String(required=True, validate=validate.Length(1, 1024))


class ClientChangeBody(Schema):
    """What is to be done with an app; to disable one, or only to take something from it, needs no second person."""

    change = fields.String(
        required=True, validate=validate.OneOf(["settings", "rotate_secret", "widen_scope", "disable", "enable"])
    )
    settings = fields.Nested(ClientSettingsSchema)
    scope = fields.String(validate=validate.Length(1, 1024))
    overlap_hours = fields.Integer(load_default=24, validate=validate.Range(0, 168))


class AdminClientSchema(Schema):
    """One app as administrators see it; nothing secret is in it."""

    client_id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    auth_method = fields.String(required=True)
    grant_types = fields.List(fields.String(), required=True)
    scope = fields.String(required=True)
    redirect_uris = fields.List(fields.String(), required=True)
    profile = fields.String(required=True)
    departments = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    disabled_at = fields.AwareDateTime(required=True, allow_none=True)
    previous_secret_until = fields.AwareDateTime(required=True, allow_none=True)


class AdminClientsSchema(Schema):
    """A page of apps by identifier."""

    items = fields.List(fields.Nested(AdminClientSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ClientsQuery(Schema):
    """Keyset paging by client identifier."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Length(1, 40))


class AskedSchema(Schema):
    """What was asked for, or done where no second person is needed; a secret is shown here and never again."""

    request = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    client_id = fields.String(allow_none=True)
    client_secret = fields.String(allow_none=True)
    activation_code = fields.String()


class SearchBody(Schema):
    """A number, whole: there is no search by a part of one."""

    number = fields.String(required=True, validate=validate.Length(1, 64))


class FoundSchema(Schema):
    """Who bears a number: masked, with the mandates he holds or gave."""

    subject = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    number = fields.String(required=True)
    status = fields.String(required=True)
    level = fields.Integer(required=True, allow_none=True)
    administrator = fields.String(required=True, allow_none=True)
    mandates = fields.List(fields.Nested(MandateSchema), required=True)


class PersonChangeBody(Schema):
    """What is to be done with an account; to lay one's own role down needs no second person."""

    change = fields.String(
        required=True,
        validate=validate.OneOf(
            ["disable", "enable", "confirm", "activation_code", "reset_factors", "give_role", "take_role"]
        ),
    )
    role = fields.String(validate=validate.OneOf([str(role) for role in Role]))


class OrganisationChangeBody(Schema):
    """What is to be done with an organisation."""

    change = fields.String(required=True, validate=validate.OneOf(["disable", "enable"]))


class RevocationBody(Schema):
    """Whose mandate is to be revoked by office."""

    subject = fields.String(required=True, validate=_ID)
    mandate = fields.String(required=True, validate=_ID)


class GuardianBody(Schema):
    """A minor and the adult who is to act for him, by their numbers."""

    minor = fields.String(required=True, validate=validate.Length(1, 64))
    guardian = fields.String(required=True, validate=validate.Length(1, 64))


class ApprovalsQuery(PageQuery):
    """Which requests."""

    waiting = fields.Boolean(load_default=True)


class ApprovalSchema(Schema):
    """A request for a risky act."""

    id = fields.String(required=True)
    act = fields.String(required=True, validate=validate.OneOf([str(act) for act in RiskyAct]))
    state = fields.String(required=True)
    requested_by = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    facts = fields.Dict(required=True)


class ApprovalsSchema(Schema):
    """A page of requests, newest first."""

    items = fields.List(fields.Nested(ApprovalSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DecisionBody(Schema):
    """What is decided about a request; whoever made it can only withdraw it."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse", "withdraw"]))


class LogEntrySchema(Schema):
    """One audit row, as pseudonymous as it is stored."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    deed = fields.String(required=True)
    outcome = fields.String(required=True)
    actor = fields.String(required=True)
    facts = fields.Dict(required=True)
    log_index = fields.Integer(required=True, allow_none=True)


class LogEntriesSchema(Schema):
    """A page of audit rows, newest first."""

    items = fields.List(fields.Nested(LogEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
