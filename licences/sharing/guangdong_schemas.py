"""The boundary of the calls in Guangdong's form: snake_case members, and its reply around every answer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.counter.schemas import HEX_ID
from licences.schemas import CREDIT_CODE

_MATTER = validate.Length(1, 64)


class ServiceItemQuery(Schema):
    """Whose matters."""

    org_code = fields.String(required=True, validate=CREDIT_CODE)


class DutyOperator(Schema):
    """The clerk, fully named; `service_org` is the credit code of his unit."""

    account = Line(64, required=True)
    name = Line(100, required=True)
    division = Line(100, required=True)
    division_code = fields.String(required=True, validate=validate.Regexp(r"\A[0-9]{6,12}\Z"))
    service_org = fields.String(required=True, validate=CREDIT_CODE)
    role = Line(64, required=True)
    identity_num = fields.String(required=True, validate=validate.Length(1, 64))


class LicenceDutyBody(Schema):
    """依职能查验: whose licences a clerk asks for, for which matter and case."""

    identity_number = fields.String(required=True, validate=validate.Length(1, 64))
    service_item_code = fields.String(required=True, validate=_MATTER)
    service_item_name = Line(200, required=True)
    biz_num = Line(64, required=True)
    legal_basis = fields.String(
        validate=validate.Length(1, 40), metadata={"description": "A ground of the matter; optional where it has one"}
    )
    operator = fields.Nested(DutyOperator, required=True)


class LicenceHolderBody(Schema):
    """网上申办用证: the holder's own token is the credential."""

    service_item_code = fields.String(required=True, validate=_MATTER)
    service_item_name = Line(200)
    biz_num = Line(64, required=True)


class LicenceEntrustBody(LicenceHolderBody):
    """委托授权用证: the agent's token, and his mandate where the token does not act by one."""

    mandate = fields.String(validate=HEX_ID)


class AuthCodeQuery(Schema):
    """A code."""

    auth_code = fields.String(required=True, validate=validate.Length(1, 64))


class LicenceReplySchema(Schema):
    """The reply around every answer."""

    ack_code = fields.String(required=True, validate=validate.OneOf(["SUCCESS", "FAILURE"]))
    errors = fields.List(fields.Dict(), required=True)
    sign = fields.String(
        required=True, allow_none=True, metadata={"description": "Not used: TLS and tokens protect it"}
    )
    sign_method = fields.String(required=True, allow_none=True)
    timestamp = fields.String(required=True)
    correlation_id = fields.String(required=True, allow_none=True)
    response_id = fields.String(required=True)
    data = fields.Raw(required=True, allow_none=True)
