"""The JSON of the stream management API: SSF 1.0 section 8.1. What a receiver sends is judged by `stream_request`."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields


class Lenient(Schema):
    """Other people's framework: members that we do not know are passed over, as it demands."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE


class StreamRequestSchema(Lenient):
    """A stream as its receiver wants it."""

    stream_id = fields.Raw(load_default=None)
    events_requested = fields.Raw()
    delivery = fields.Raw(metadata={"description": "method urn:ietf:rfc:8935 (push, endpoint_url) or 8936 (poll)"})
    description = fields.Raw()
    default_subjects = fields.Raw(metadata={"description": "ALL (the default) or NONE: of whom it hears unasked"})


class StreamSchema(Schema):
    """A stream as it is."""

    stream_id = fields.String(required=True)
    iss = fields.URL(required=True)
    aud = fields.String(required=True)
    events_supported = fields.List(fields.String(), required=True)
    events_requested = fields.List(fields.String(), required=True)
    events_delivered = fields.List(fields.String(), required=True)
    delivery = fields.Dict(required=True)
    min_verification_interval = fields.Integer(required=True)
    default_subjects = fields.String(required=True)
    description = fields.String()


class StreamQuery(Lenient):
    """Which stream."""

    stream_id = fields.String(load_default=None)


class StatusRequestSchema(Lenient):
    """What a stream shall do."""

    stream_id = fields.Raw(load_default=None)
    status = fields.Raw(load_default=None, metadata={"description": "enabled, paused or disabled"})
    reason = fields.Raw(load_default=None)


class StatusSchema(Schema):
    """What a stream does."""

    stream_id = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String()


class SubjectSchema(Lenient):
    """A person of whom a receiver wants to hear, or not."""

    stream_id = fields.Raw(load_default=None)
    subject = fields.Raw(load_default=None, metadata={"description": "format iss_sub, iss, sub"})
    verified = fields.Raw(metadata={"description": "taken, and of no effect: the subject proves itself"})


class VerificationSchema(Lenient):
    """A wish for a verification event."""

    stream_id = fields.Raw(load_default=None)
    state = fields.Raw(load_default=None)


class PollSchema(Lenient):
    """A poll (RFC 8936 section 2.4)."""

    maxEvents = fields.Raw()  # noqa: N815 - the standard's name
    returnImmediately = fields.Raw()  # noqa: N815
    ack = fields.Raw()
    setErrs = fields.Raw()  # noqa: N815


class EventsSchema(Schema):
    """Events that wait, by their `jti`."""

    sets = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    moreAvailable = fields.Boolean(required=True)  # noqa: N815
