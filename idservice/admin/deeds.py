"""What administrators do, by the names that stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class AdminDeed(StrEnum):
    """The deeds of administration."""

    ROLE_GIVEN = "idservice:administrator:give_role"
    ROLE_TAKEN = "idservice:administrator:take_role"
    REQUESTED = "idservice:admin_request:make"
    APPROVED = "idservice:admin_request:approve"
    REFUSED = "idservice:admin_request:refuse"
    WITHDRAWN = "idservice:admin_request:withdraw"
    CLIENT_CREATED = "idservice:client:create"
    CLIENT_SECRET_ROTATED = "idservice:client:rotate_secret"
    CLIENT_SCOPE_WIDENED = "idservice:client:widen_scope"
    CLIENT_DISABLED = "idservice:client:disable"
    CLIENT_ENABLED = "idservice:client:enable"
    PERSON_DISABLED = "idservice:person:disable"
    PERSON_ENABLED = "idservice:person:enable"
    PERSON_SEEN = "idservice:person:look_up"
    ORGANISATION_DISABLED = "idservice:organisation:disable"
    ORGANISATION_ENABLED = "idservice:organisation:enable"
    ORGANISATION_SEEN = "idservice:organisation:look_up"
    GUARDIAN_ENTERED = "idservice:mandate:enter_guardian"
    LOG_READ = "idservice:audit_entry:read"
