"""What is done by the further grants, by the names that stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class GrantDeed(StrEnum):
    """The deeds around requests that a person answers on another device, exchanged tokens, and resource servers."""

    REQUEST_STARTED = "idservice:pending_request:start"
    REQUEST_ALLOWED = "idservice:pending_request:allow"
    REQUEST_DENIED = "idservice:pending_request:deny"
    USER_CODE_ENTERED = "idservice:user_code:enter"
    BINDING_CODE_ENTERED = "idservice:binding_code:enter"
    TOKEN_EXCHANGED = "idservice:token:exchange"
    OFFER_MADE = "idservice:offer:create"
    OFFER_ACCEPTED = "idservice:offer:accept"
    OFFER_GUESSED = "idservice:offer:guess"
    RESOURCE_REGISTERED = "idservice:resource_server:register"
    RESOURCE_DISABLED = "idservice:resource_server:disable"
