"""What is asked for and granted beyond the scope (授权内容): authorization details, resources, single claims.

RFC 9396, RFC 8707, OpenID Connect Core 1.0 section 5.5. One reading of the parameters for every endpoint that takes
them, and one place where they lie: sealed with the token family or the request that waits, for they may name people.
Most requests have none of it, and cost nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idservice.oauth import authorization_details, claims_request, resource_servers
from idservice.oauth.authorization_details import Details, DetailsRefused
from idservice.oauth.claim_constraint import ClaimsRefused
from idservice.oauth.claims_request import ClaimsRequest

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App

COLUMN: Final = "granted_sealed"
CLAIMS: Final = "claims"
PARAMETERS: Final = (authorization_details.PARAMETER, resource_servers.PARAMETER, CLAIMS)


class NotGrantable(ValueError):
    """What is asked for cannot be had: `error` is the code of the standard it comes from."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Granted:
    """What goes beyond the scope. Without `resources`, tokens are for our own API."""

    details: Details = ()
    resources: tuple[str, ...] = ()
    claims: ClaimsRequest = claims_request.NOTHING


NOTHING: Final = Granted()


def asked(
    call: Call, app: App, sent: Mapping[str, str], *, has_person: bool = True, with_claims: bool = False
) -> Granted:
    """Return what a request asks for beyond its scope.

    Args:
        call: the call.
        app: the client that asks.
        sent: its parameters, folded (`resource_servers.folded`).
        has_person: whether a person will be asked.
        with_claims: whether the endpoint has a claims parameter.

    Raises:
        NotGrantable: invalid_authorization_details, invalid_target or invalid_request.
    """
    if not any(name in sent for name in PARAMETERS):
        return NOTHING
    return Granted(
        details=details_of(call, app, sent, has_person=has_person),
        resources=_resources(call, app, sent),
        claims=_claims(sent) if with_claims else claims_request.NOTHING,
    )


def details_of(call: Call, app: App, sent: Mapping[str, str], *, has_person: bool = True) -> Details:
    """Return the authorization details of a request.

    Raises:
        NotGrantable: invalid_authorization_details.
    """
    if authorization_details.PARAMETER not in sent:
        return ()
    own = resource_servers.own(call.settings).identifier
    try:
        return authorization_details.read(
            call, app, sent[authorization_details.PARAMETER], own=own, has_person=has_person
        )
    except DetailsRefused as error:
        raise NotGrantable("invalid_authorization_details", str(error)) from None


def seal(call: Call, granted: Granted, *, table: str, row: str) -> bytes | None:
    """Return `granted` as it is stored in its column, None where there is nothing."""
    if granted == NOTHING:
        return None
    members = {"details": granted.details, "resources": granted.resources, "claims": granted.claims.members}
    body = json.dumps(members, ensure_ascii=False).encode()
    return call.cipher.seal(body, table=table, column=COLUMN, row=row)


def unseal(call: Call, blob: bytes | None, *, table: str, row: str) -> Granted:
    """Return what `seal` stored."""
    if blob is None:
        return NOTHING
    members = json.loads(call.cipher.open(blob, table=table, column=COLUMN, row=row))
    return Granted(tuple(members["details"]), tuple(members["resources"]), ClaimsRequest(members["claims"] or {}))


def _resources(call: Call, app: App, sent: Mapping[str, str]) -> tuple[str, ...]:
    named = resource_servers.asked(call.settings, sent)
    if len(named) > resource_servers.MAX_RESOURCES:
        raise NotGrantable("invalid_target", f"At most {resource_servers.MAX_RESOURCES} resources.")
    for identifier in named:
        if resource_servers.find_for(call, app, identifier) is None:
            raise NotGrantable("invalid_target", "A resource is not known here, or not one this app may use.")
    return named


def _claims(sent: Mapping[str, str]) -> ClaimsRequest:
    if CLAIMS not in sent:
        return claims_request.NOTHING
    try:
        return claims_request.read(sent[CLAIMS])
    except ClaimsRefused as error:
        raise NotGrantable("invalid_request", str(error)) from None
