"""Documents that a client keeps at its own address: keys (`jwks_uri`) and sector (`sector_identifier_uri`).

OpenID Connect Core 1.0 sections 8.1 and 10.1.1. Fetched outside any transaction, from public addresses alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from idservice import outbound
from keys.jwk import JWKError, parse_set


class DocumentRefused(ValueError):
    """The document could not be fetched, or is not what it must be."""


def keys_at(uri: str) -> dict[str, Any]:
    """Return the JWK Set at `uri`.

    Raises:
        DocumentRefused: there is none with a key that we take.
    """
    try:
        found = outbound.get_json(uri)
        usable = parse_set(found)
    except outbound.OutboundRefused as error:
        raise DocumentRefused(f"jwks_uri could not be read ({error.code}).") from None
    except (JWKError, TypeError, AttributeError):
        raise DocumentRefused("jwks_uri holds no JWK Set of public keys.") from None
    if not usable:
        raise DocumentRefused("jwks_uri holds no key for ES256, EdDSA or PS256.")
    return dict(found)


def sector_at(uri: str, redirect_uris: Collection[str]) -> str:
    """Return the sector that the document at `uri` declares for these redirect URIs.

    Raises:
        DocumentRefused: it cannot be read, or does not name them all.
    """
    try:
        listed = outbound.get_json(uri)
    except outbound.OutboundRefused as error:
        raise DocumentRefused(f"sector_identifier_uri could not be read ({error.code}).") from None
    if not isinstance(listed, list) or not set(redirect_uris) <= {uri for uri in listed if isinstance(uri, str)}:
        raise DocumentRefused("sector_identifier_uri does not list every redirect URI.")
    return f"host:{urlsplit(uri).hostname}"  # apart from the names that an administrator gives
