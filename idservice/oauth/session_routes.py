"""Sessions through the API: list them, end one, sign out everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from idservice.errors import Problem
from idservice.http.endpoint import endpoint
from idservice.oauth import signing_out

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("sessions", __name__, url_prefix="/v1", description="Where I am logged in")


class SessionSchema(Schema):
    """One live session."""

    id = fields.String(required=True)
    device = fields.String(allow_none=True, required=True)
    place = fields.String(allow_none=True, required=True, metadata={"description": "Address without its end"})
    logged_in_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(required=True)
    is_this = fields.Boolean(required=True, metadata={"description": "The session this token came from"})
    apps = fields.List(fields.String(), required=True, metadata={"description": "Apps it logged the person in to"})


class SessionsSchema(Schema):
    """The person's live sessions, this one first."""

    items = fields.List(fields.Nested(SessionSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


class LogoutRequestSchema(Schema):
    """Which sessions to end: one by its id, or all but this one, or all."""

    session = fields.String(load_default=None, validate=validate.Regexp(r"^[0-9a-f]{32}$"))
    keep_this = fields.Boolean(load_default=True)


class LogoutSchema(Schema):
    """A logout."""

    ended = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)


@endpoint(blueprint, "GET", "/sessions", scope="sessions.manage", answer=SessionsSchema)
def list_sessions(call: Call) -> dict[str, Any]:
    """List where the person is logged in, this session first."""
    _person(call)
    return {"items": signing_out.listed(call), "next_cursor": None}


@endpoint(
    blueprint,
    "POST",
    "/logouts",
    scope="sessions.manage",
    body=LogoutRequestSchema,
    answer=LogoutSchema,
    status=201,
    write=True,
)
def create_logout(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """End a session and its tokens without `offline_access`, or all sessions and all tokens; the apps are told."""
    person = _person(call)
    if body["session"] is not None:
        if not signing_out.end_one(call, person, body["session"]):
            raise Problem("not_found", "This session is not yours, or has ended already.")
        return {"ended": 1, "at": call.now}
    kept = call.caller.session_id if body["keep_this"] else None
    return {"ended": signing_out.end_others(call, person, but=kept), "at": call.now}


def _person(call: Call) -> str:
    if call.caller.person is None or call.caller.principal is not None:
        raise Problem("forbidden", "Only a person who acts for himself sees his sessions.")
    return call.caller.person
