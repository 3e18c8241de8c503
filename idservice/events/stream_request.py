"""What a receiver asks of its stream: the members of SSF 1.0 section 8.1.1 that are its own to say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from idservice.errors import Problem
from idservice.events import stream_subjects
from idservice.oauth import registration_uris

PUSH = "urn:ietf:rfc:8935"
POLL = "urn:ietf:rfc:8936"


@dataclass(frozen=True, slots=True)
class Asked:
    """The receiver's wishes: `endpoint_url` is None where it polls."""

    events: tuple[str, ...]
    endpoint_url: str | None
    authorization: str | None
    description: str | None
    keeps_authorization: bool = False
    default_subjects: str = stream_subjects.ALL


def read(members: Mapping[str, Any], *, loopback: bool, before: Mapping[str, Any] | None = None) -> Asked:
    """Return what the members ask for; `before` holds those that are left as they were.

    Raises:
        Problem: bad_request, naming the member.
    """
    members = {**(before or {}), **members}
    events = members.get("events_requested", [])
    if not isinstance(events, list) or len(events) > 64 or not all(_is_text(event, 512) for event in events):
        raise _refused("events_requested is an array of event types.")
    description = members.get("description")
    if description is not None and not _is_text(description, 1024):
        raise _refused("description is a text.")
    default = members.get("default_subjects", stream_subjects.ALL)
    if default not in (stream_subjects.ALL, stream_subjects.NONE):
        raise _refused("default_subjects is ALL or NONE.")
    delivery = members.get("delivery") or {"method": POLL}
    if not isinstance(delivery, dict):
        raise _refused("delivery is an object.")
    unchanged = before is not None and delivery == before.get("delivery")
    asked = _with_delivery(tuple(dict.fromkeys(events)), description, delivery, loopback=loopback, keeps=unchanged)
    return replace(asked, default_subjects=default)


def _with_delivery(
    events: tuple[str, ...], description: str | None, delivery: Mapping[str, Any], *, loopback: bool, keeps: bool
) -> Asked:
    method, url, secret = (delivery.get(name) for name in ("method", "endpoint_url", "authorization_header"))
    if method == POLL:
        return Asked(events, None, None, description)
    if method != PUSH:
        raise _refused(f"delivery.method is {PUSH} or {POLL}.")
    if not isinstance(url, str) or not registration_uris.may_be_told(url, loopback=loopback):
        raise _refused("delivery.endpoint_url is an https URL of a public host.")
    if secret is not None and not (_is_text(secret, 2048) and secret.isascii() and secret.isprintable()):
        raise _refused("delivery.authorization_header is the value of a header.")
    return Asked(events, url, secret, description, keeps)


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and "\0" not in value


def _refused(detail: str) -> Problem:
    return Problem("bad_request", detail)
