"""The counter's boundary: what look-ups, consents, authorisations and matters may hold, and what is answered."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from idservice.http.line import Line
from licences.counter.matter_definition import Way
from licences.definition_file import MAX_LENGTH
from licences.schemas import CREDIT_CODE, SummarySchema

HEX_ID = validate.Regexp(r"\A[0-9a-f]{32}\Z")
OUTCOMES = ("licence", "data_yes", "data_no", "data_partly", "department", "commitment", "not_held")


_WORD = fields.String(validate=validate.Length(1, 40))


class Claimed(fields.Field[str | int | bool]):
    """A claimed value: a string, an integer or a boolean, no longer than a field of a licence can be."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int | bool:  # noqa: ARG002
        if not isinstance(value, str | int) or len(str(value)) > MAX_LENGTH:
            raise ValidationError(f"A string of at most {MAX_LENGTH} characters, an integer or a boolean.")
        return value


class SubjectRef(Schema):
    """Whom a look-up is about."""

    number = fields.String(required=True, validate=validate.Length(1, 64))


class MandateRef(Schema):
    """A mandate of the applicant's, and who holds it."""

    id = fields.String(required=True, validate=HEX_ID)
    agent = fields.String(required=True, validate=validate.Length(1, 64), metadata={"description": "His number"})


class AuthorisationRef(Schema):
    """The ground of a look-up: exactly one."""

    code = fields.String(allow_none=True, validate=validate.Length(max=256), metadata={"description": "A show code"})
    auth_code = fields.String(
        allow_none=True,
        validate=validate.Length(max=256),
        metadata={"description": "From POST /v1/lookup-authorisations or /v1/duty-authorisations"},
    )
    consent = fields.String(allow_none=True, validate=validate.Length(max=64))
    mandate = fields.Nested(MandateRef, allow_none=True)
    legal_basis = fields.String(
        allow_none=True,
        validate=validate.Length(max=500),
        metadata={"description": "The code of a provision among the matter's grounds"},
    )
    face = fields.String(
        allow_none=True,
        validate=validate.Length(max=8192),
        metadata={"description": "A checker's signed word on a question from POST /v1/face-checks"},
    )


class LookupOperator(Schema):
    """The clerk who asks. What is missing is refused as forbidden (403) and recorded, not as malformed."""

    id_number = fields.String(allow_none=True, validate=validate.Length(max=64))
    counter = Line(64, least=0, allow_none=True)


class _CounterBody(Schema):
    """What every request of a counter states."""

    matter = fields.String(required=True, validate=validate.Length(1, 64))
    subject = fields.Nested(SubjectRef, required=True)
    purpose = Line(200, least=0, allow_none=True)
    case_number = Line(64, least=0, allow_none=True)
    operator = fields.Nested(LookupOperator, allow_none=True)
    department = fields.String(validate=CREDIT_CODE)


class LookupBody(_CounterBody):
    """A look-up for one matter and one subject. Purpose, case number, operator and authorisation are all needed."""

    authorisation = fields.Nested(AuthorisationRef, allow_none=True)
    fields_ = fields.Dict(
        keys=_WORD,
        values=fields.List(_WORD, validate=validate.Length(max=100)),
        data_key="fields",
        attribute="fields",
        validate=validate.Length(max=20),
        metadata={"description": "Of each proof the fields wanted; default: all that the matter needs"},
    )
    claims = fields.Dict(
        keys=_WORD,
        values=fields.Dict(keys=_WORD, values=Claimed(), validate=validate.Length(max=40)),
        validate=validate.Length(max=20),
        metadata={"description": "Of each proof what is claimed, by field: to be compared where a data check is a way"},
    )
    ways = fields.Dict(
        keys=_WORD,
        values=fields.String(validate=validate.OneOf([str(way) for way in Way])),
        validate=validate.Length(max=20),
        metadata={"description": "Of each proof the one way to go; default: the matter's ways in their order"},
    )


class DutyBody(_CounterBody):
    """A clerk asks for a code by his duty, on a provision that the matter names."""

    legal_basis = fields.String(required=True, validate=validate.Length(1, 40))


class FaceCheckBody(_CounterBody):
    """A clerk asks that an applicant's face be checked."""

    checker = fields.String(required=True, validate=validate.Length(1, 40))


class AuthorisationBody(Schema):
    """A holder, or whoever holds his mandate, authorises one look-up."""

    mode = fields.String(required=True, validate=validate.OneOf(["holder", "entrust"]))
    matter = fields.String(required=True, validate=validate.Length(1, 64))
    mandate = fields.String(
        validate=HEX_ID, metadata={"description": "Of mode entrust; default: the mandate that the token acts by"}
    )
    department = fields.String(validate=CREDIT_CODE, metadata={"description": "Default: any unit handling the matter"})
    case_number = Line(64, metadata={"description": "Default: any case"})


class ConsentBody(Schema):
    """A consent that the proofs of a matter be looked up."""

    matter = fields.String(required=True, validate=validate.Length(1, 64))
    department = fields.String(validate=CREDIT_CODE, metadata={"description": "Default: any unit handling the matter"})
    days = fields.Integer(load_default=30, validate=validate.Range(1, 365), strict=True)


class PageQuery(Schema):
    """Keyset paging."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=HEX_ID)


class MattersSchema(Schema):
    """The list of matters, the proofs each needs and the fields of each proof."""

    items = fields.List(fields.Dict(), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class MatterBody(Schema):
    """A matter as it is exported; anything that is not one is refused as a whole."""

    definition = fields.Dict(required=True)


class MatterEnteredSchema(Schema):
    """What became of a matter that was entered."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    result = fields.String(required=True, metadata={"description": "new, changed or unchanged"})


class MatterVersionSchema(Schema):
    """A matter in one of its versions."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    entered_at = fields.AwareDateTime(required=True)
    definition = fields.Dict(required=True)


class MatterVersionsSchema(Schema):
    """Every version of a matter, the newest first."""

    items = fields.List(fields.Nested(MatterVersionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NamedProofSchema(Schema):
    """A proof by its names."""

    proof = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)


class ProofSchema(NamedProofSchema):
    """What came of one proof of the matter."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    way = fields.String(metadata={"description": "By which of the matter's ways it was met"})
    licence = fields.Nested(SummarySchema)
    fields_ = fields.Dict(data_key="fields", attribute="fields")
    compared = fields.Dict(
        keys=fields.String(), values=fields.Boolean(), metadata={"description": "Each claimed field: is it so?"}
    )
    check = fields.String(metadata={"description": "The department check that was opened"})
    due = fields.Date(metadata={"description": "The day its answer is due"})
    commitment = fields.String(metadata={"description": "The commitment that may be signed"})
    text = fields.String()
    text_en = fields.String()
    sign_url = fields.String()
    ways_left = fields.List(
        fields.String(), metadata={"description": "Ways of the matter that were not tried and may be asked for"}
    )
    claims_wanted = fields.List(
        fields.String(), metadata={"description": "Fields that could be compared if they were claimed"}
    )
    ways_beyond = fields.List(
        fields.String(),
        metadata={"description": "Ways that would tell more than the holder chose to show: ask him for wider leave"},
    )
    not_shown = fields.List(
        fields.String(),
        metadata={"description": "Asked for, and left out of what the holder chose to show: neither read nor compared"},
    )


class LookupSchema(Schema):
    """The proofs of a matter, each with what came of it."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    matter = fields.String(required=True)
    matter_version = fields.Integer(required=True)
    basis = fields.String(required=True)
    proofs = fields.List(fields.Nested(ProofSchema), required=True)
    not_needed = fields.List(
        fields.Nested(NamedProofSchema), required=True, metadata={"description": "Cancelled: nobody asks for these"}
    )


class AuthorisationSchema(Schema):
    """A code that authorises one look-up, shown once."""

    code = fields.String(required=True)
    mode = fields.String(required=True)
    matter = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)


class FaceCheckSchema(Schema):
    """What the counter's device carries to a checker of persons."""

    nonce = fields.String(required=True)
    checker = fields.String(required=True)
    url = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)


class ConsentSchema(Schema):
    """A consent to look-ups."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    department = fields.String(required=True, allow_none=True)
    given_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class ConsentsSchema(Schema):
    """A page of consents, newest first."""

    items = fields.List(fields.Nested(ConsentSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
