"""The boundary of the sharing interface: bodies in `head` and `data` (GB/T 36906-2018), as systems in use have them.

Member names are theirs, so they are in camelCase.
"""

# ruff: noqa: N815 - see above

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.counter.schemas import Claimed
from licences.schemas import CREDIT_CODE, IDENTIFIER
from licences.sharing.annotated import MAX_PURPOSE, CopyForm
from licences.sharing.files import MAX_DAYS
from licences.sharing.permissions import Operation
from licences.sharing.statuses import REQUIRED
from licences.verify import MAX_TEXT

#: What is said of a missing member: `statuses.of` gives it a number of its own.
_NEEDED: Final[dict[str, Any]] = {
    "required": True,
    "error_messages": {"required": REQUIRED, "null": REQUIRED},
}
_TYPE_CODE = validate.Regexp(r"\A[0-9A-Z]{21}\Z")
_HOLDER_CODE_TYPES = validate.OneOf(["001", "111", "551", "552", "553"])


class SharingHead(Schema):
    """Who calls, once more: the access token says it. A token in a body is refused: bodies are logged."""

    accessId = fields.String(validate=validate.Length(1, 64), metadata={"description": "The client_id; optional"})


class SharingOperator(Schema):
    """The clerk who asks, named by the app that has logged him in."""

    idNumber = fields.String(**_NEEDED, validate=validate.Length(1, 64))
    counter = Line(64)


class SharingCause(Schema):
    """What every look states."""

    useCause = Line(
        MAX_PURPOSE, **_NEEDED, metadata={"description": "申请事由: on the holder's record, and on every copy"}
    )
    operator = fields.Nested(SharingOperator, metadata={"description": "Needed unless the app reads unattended"})


class SharingHolderData(SharingCause):
    """A holder and a type."""

    holderCode = fields.String(**_NEEDED, validate=validate.Length(1, 64))
    holderCodeType = fields.String(**_NEEDED, validate=_HOLDER_CODE_TYPES)
    certificateTypeCode = fields.String(**_NEEDED, validate=_TYPE_CODE)


class SharingFindData(SharingHolderData):
    """Which licences of a holder: of one type, and where it is known with one number."""

    certificateNumber = Line(128)


class SharingReadData(SharingCause):
    """One licence by its identifier."""

    certificateIdentifier = fields.String(**_NEEDED, validate=IDENTIFIER)


class SharingCodeData(SharingCause):
    """What was scanned."""

    qrcode = fields.String(**_NEEDED, validate=validate.Length(1, MAX_TEXT))


class SharingFileData(SharingReadData):
    """A file of one licence."""

    fileType = fields.String(load_default="ofd", validate=validate.OneOf([str(form) for form in CopyForm]))
    validDays = fields.Integer(
        load_default=7, strict=True, validate=validate.Range(1, MAX_DAYS), metadata={"description": "How long it holds"}
    )


class SharingClaimData(SharingHolderData):
    """What somebody claims that a licence states."""

    certNo = Line(128, **_NEEDED)
    holder = Line(200, **_NEEDED)
    surfaceData = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=Claimed(),
        load_default=dict,
        validate=validate.Length(max=100),
    )


class SharingVerifyFileData(SharingCause):
    """A file to be verified."""

    fileData = fields.String(**_NEEDED, validate=validate.Length(1, 1_000_000), metadata={"description": "In base64"})


class SharingTypeData(Schema):
    """A type."""

    certificateTypeCode = fields.String(**_NEEDED, validate=_TYPE_CODE)


def request_of(data: type[Schema], name: str) -> type[Schema]:
    """Return the schema of a whole request around its `data`."""
    members = {"head": fields.Nested(SharingHead, load_default=dict), "data": fields.Nested(data, **_NEEDED)}
    return type(name, (Schema,), {"__module__": __name__, "__doc__": "A request to the sharing interface.", **members})


SharingFindBody = request_of(SharingFindData, "SharingFindBody")
SharingReadBody = request_of(SharingReadData, "SharingReadBody")
SharingCodeBody = request_of(SharingCodeData, "SharingCodeBody")
SharingFileBody = request_of(SharingFileData, "SharingFileBody")
SharingClaimBody = request_of(SharingClaimData, "SharingClaimBody")
SharingVerifyFileBody = request_of(SharingVerifyFileData, "SharingVerifyFileBody")
SharingTypeBody = request_of(SharingTypeData, "SharingTypeBody")


class SharingAnswerHead(Schema):
    """What became of it."""

    status = fields.Integer(required=True, metadata={"description": "0: done; see docs/sharing.md"})
    message = fields.String(required=True)


class SharingAnswerSchema(Schema):
    """An answer of the sharing interface."""

    head = fields.Nested(SharingAnswerHead, required=True)
    data = fields.Dict(required=True, allow_none=True)


class SharingLinkQuery(Schema):
    """The link to a file."""

    id = fields.String(required=True, validate=validate.Length(1, 64))


class SharingPermissionBody(Schema):
    """A permission that is asked for."""

    client_id = fields.String(required=True, validate=validate.Length(1, 64))
    type = fields.String(required=True, validate=_TYPE_CODE)
    operations = fields.List(
        fields.String(validate=validate.OneOf([str(one) for one in Operation])),
        required=True,
        validate=validate.Length(1, len(Operation)),
    )
    department = fields.String(required=True, validate=CREDIT_CODE)
    matter = fields.String(required=True, validate=validate.Length(1, 64))
    ground = Line(200, required=True, metadata={"description": "The provision that the holder reads"})
    unattended = fields.Boolean(load_default=False)


class SharingAgreementBody(Schema):
    """Which permission is agreed to, as it was seen."""

    asked_at = fields.AwareDateTime(required=True)


class SharingPermissionSchema(Schema):
    """A permission; it is in force once a second person agreed."""

    client_id = fields.String(required=True)
    type = fields.String(required=True, attribute="type_code")
    operations = fields.List(fields.String(), required=True)
    department = fields.String(required=True)
    matter = fields.String(required=True)
    ground = fields.String(required=True)
    unattended = fields.Boolean(required=True)
    asked_at = fields.AwareDateTime(required=True)
    agreed_at = fields.AwareDateTime(required=True, allow_none=True)


class SharingPermissionsSchema(Schema):
    """All permissions, those that wait for a second person first."""

    items = fields.List(fields.Nested(SharingPermissionSchema), required=True)
