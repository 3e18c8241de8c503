"""What this service offers, in SCIM's own words: RFC 7643 sections 5 to 7, RFC 7644 section 4. Only what is true."""

from __future__ import annotations

from typing import Any, Final

from idservice.errors import Problem
from idservice.scim.querying import LARGEST_PAGE, LIST_RESPONSE
from idservice.scim.resource_types import TYPES

CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


def config(issuer: str, base: str) -> dict[str, Any]:
    """Return the service provider's configuration."""
    return {
        "schemas": [CONFIG],
        "documentationUri": f"{issuer}/docs",
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": LARGEST_PAGE},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth 2.0",
                "description": "An access token with the scope scim.read or scim.write",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def schemas(base: str) -> list[dict[str, Any]]:
    """Return every schema."""
    return [schema.described(base) for kind in TYPES for schema in kind.schemas]


def resource_types(base: str) -> list[dict[str, Any]]:
    """Return every resource type."""
    return [kind.described(base) for kind in TYPES]


def listed(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a list response of all there is: these are neither filtered nor paged (RFC 7644 section 4)."""
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(resources),
        "startIndex": 1,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def one(resources: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the one of that id.

    Raises:
        Problem: not_found.
    """
    found = next((resource for resource in resources if resource["id"] == name), None)
    if found is None:
        raise Problem("not_found", "There is no such description.")
    return found


def refuse_filter(query: object) -> None:
    """Refuse to filter descriptions (RFC 7644 section 4).

    Raises:
        Problem: forbidden.
    """
    if isinstance(query, dict) and "filter" in query:
        raise Problem("forbidden", "Descriptions are not filtered.")
