"""The transmitter of security events: Shared Signals Framework 1.0, for clients with the scope `ssf.manage`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint as PlainBlueprint
from flask import Response
from flask_smorest import Blueprint

from idservice.errors import Problem
from idservice.events import poll as polling
from idservice.events import schemas, stream_request, stream_subjects, streams
from idservice.http.endpoint import endpoint, house, json_response

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("events", __name__, url_prefix="/v1/ssf", description="Security events (Shared Signals)")
plain = PlainBlueprint("oauth_events", __name__)

SCOPE = "ssf.manage"
STATUSES = (streams.ENABLED, streams.PAUSED, streams.DISABLED)


@plain.get("/.well-known/ssf-configuration")
def configuration() -> Response:
    """Describe the transmitter (SSF 1.0 section 7.1)."""
    issuer = house().settings.issuer
    found = {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "delivery_methods_supported": [stream_request.PUSH, stream_request.POLL],
        "configuration_endpoint": f"{issuer}/v1/ssf/streams",
        "status_endpoint": f"{issuer}/v1/ssf/status",
        "add_subject_endpoint": f"{issuer}/v1/ssf/subjects/additions",
        "remove_subject_endpoint": f"{issuer}/v1/ssf/subjects/removals",
        "verification_endpoint": f"{issuer}/v1/ssf/verifications",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }
    response = Response(json.dumps(found), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@endpoint(
    blueprint,
    "POST",
    "/streams",
    scope=SCOPE,
    body=schemas.StreamRequestSchema,
    answer=schemas.StreamSchema,
    status=201,
    write=True,
)
def create_stream(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Open the client's stream, delivered by push or poll; a client has one."""
    return streams.create(call, _asked(call, body))


@endpoint(blueprint, "GET", "/streams", scope=SCOPE, query=schemas.StreamQuery)
def read_streams(call: Call, query: dict[str, Any]) -> Response:
    """Return the stream of that `stream_id`, or the list of the client's streams."""
    if query["stream_id"] is None:
        found: Any = streams.all_of_client(call)
    else:
        found = streams.shown(call, streams.find(call, query["stream_id"]))
    return json_response(json.dumps(found, ensure_ascii=False).encode(), 200)


@endpoint(
    blueprint,
    "PATCH",
    "/streams",
    scope=SCOPE,
    body=schemas.StreamRequestSchema,
    answer=schemas.StreamSchema,
    write=True,
)
def update_stream(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Change the members that are sent, and leave the others."""
    stream_id = _stream_id(body)
    row = streams.find(call, stream_id)
    return streams.change(call, stream_id, _asked(call, body, before=streams.asked_before(row)))


@endpoint(
    blueprint,
    "PUT",
    "/streams",
    scope=SCOPE,
    body=schemas.StreamRequestSchema,
    answer=schemas.StreamSchema,
    write=True,
)
def replace_stream(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Replace what the receiver may say of its stream; what is left out is forgotten."""
    return streams.change(call, _stream_id(body), _asked(call, body))


@endpoint(blueprint, "DELETE", "/streams", scope=SCOPE, query=schemas.StreamQuery, status=204, write=True)
def delete_stream(call: Call, query: dict[str, Any]) -> Response:
    """Close a stream."""
    streams.remove(call, _stream_id(query))
    return Response(status=204)


@endpoint(blueprint, "GET", "/status", scope=SCOPE, query=schemas.StreamQuery, answer=schemas.StatusSchema)
def read_status(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Say whether a stream flows."""
    return streams.status_of(streams.find(call, _stream_id(query)))


@endpoint(
    blueprint,
    "POST",
    "/status",
    scope=SCOPE,
    body=schemas.StatusRequestSchema,
    answer=schemas.StatusSchema,
    write=True,
)
def set_status(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Enable, pause or disable a stream."""
    status, reason = body["status"], body["reason"]
    if status not in STATUSES or not (reason is None or (isinstance(reason, str) and len(reason) <= 1024)):
        raise Problem("bad_request", f"status is one of: {', '.join(STATUSES)}.")
    return streams.set_status(call, _stream_id(body), status, reason)


@endpoint(blueprint, "POST", "/subjects/additions", scope=SCOPE, body=schemas.SubjectSchema, write=True)
def add_subject(call: Call, body: dict[str, Any]) -> Response:
    """Hear of a person whom the client knows (SSF 1.0 section 8.1.3.2)."""
    stream_subjects.put(call, streams.find(call, _stream_id(body)), body["subject"], added=True)
    return Response(status=200)


@endpoint(blueprint, "POST", "/subjects/removals", scope=SCOPE, body=schemas.SubjectSchema, status=204, write=True)
def remove_subject(call: Call, body: dict[str, Any]) -> Response:
    """Hear no more of a person (SSF 1.0 section 8.1.3.3)."""
    stream_subjects.put(call, streams.find(call, _stream_id(body)), body["subject"], added=False)
    return Response(status=204)


@endpoint(blueprint, "POST", "/verifications", scope=SCOPE, body=schemas.VerificationSchema, status=204, write=True)
def verify_stream(call: Call, body: dict[str, Any]) -> Response:
    """Send a verification event over a stream."""
    state = body["state"]
    if not (state is None or (isinstance(state, str) and len(state) <= 1024)):
        raise Problem("bad_request", "state is a text.")
    streams.verify(call, _stream_id(body), state)
    return Response(status=204)


@endpoint(blueprint, "POST", "/poll", scope=SCOPE, body=schemas.PollSchema, answer=schemas.EventsSchema, write=True)
def poll_events(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Fetch events that wait, and acknowledge those of the last time (RFC 8936)."""
    return polling.poll(call, body)


def _asked(call: Call, body: dict[str, Any], *, before: Any = None) -> stream_request.Asked:
    members = {name: value for name, value in body.items() if name != "stream_id"}
    return stream_request.read(members, loopback=call.settings.insecure_loopback, before=before)


def _stream_id(members: dict[str, Any]) -> str:
    stream_id = members["stream_id"]
    if not isinstance(stream_id, str) or not 0 < len(stream_id) <= 64:
        raise Problem("bad_request", "Name the stream by stream_id.")
    return stream_id
