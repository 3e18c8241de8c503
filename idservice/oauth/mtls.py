"""Mutual TLS (双向 TLS): clients that authenticate with a certificate, and tokens bound to one; RFC 8705.

TLS ends at the proxy, so the certificate arrives in the one header that is configured for it, as RFC 9440 section 2.1
or as nginx writes it (PEM, escaped for URLs). Without that setting and a proxy no header is ever looked at: anybody
could send it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import structlog
from cryptography import x509

from idservice.oauth.confirmation import TLS, Key
from keys.base64url import b64u
from keys.certificates import CertificateError, parse, parse_pem, verify_path
from keys.verdict import Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from idservice.oauth.clients import App
    from idservice.settings import Settings
    from keys.certificates import Certificate

log = structlog.get_logger(__name__)

SUBJECT = "tls_client_auth_subject_dn"
SAN_DNS = "tls_client_auth_san_dns"
SAN_URI = "tls_client_auth_san_uri"
NAMES = (SUBJECT, SAN_DNS, SAN_URI)  # RFC 8705 section 2.1.2: one of them
HASHES = TLS  # of certificates that a client signed itself
SELF_SIGNED = "self_signed_tls_client_auth"
MAX_HEADER = 16_384


def is_configured(settings: Settings) -> bool:
    """Return whether certificates of clients reach us at all."""
    return settings.client_certificate_header is not None and settings.proxy_hops > 0


def presented(settings: Settings, environ: Mapping[str, Any]) -> bytes | None:
    """Return the DER of the certificate that the proxy saw, or None for none and for anything else."""
    if settings.client_certificate_header is None or settings.proxy_hops < 1:
        return None
    value = environ.get(f"HTTP_{settings.client_certificate_header.upper().replace('-', '_')}")
    return _read(value) if isinstance(value, str) and 0 < len(value) <= MAX_HEADER else None


def key_of(certificate: bytes) -> Key:
    """Return the key a token is bound to: the hash of the certificate (RFC 8705 section 3.1)."""
    return Key(TLS, b64u(hashlib.sha256(certificate).digest()))


def is_clients(settings: Settings, app: App, certificate: bytes | None, *, now: datetime) -> bool:
    """Return whether `certificate` is that of `app`, by the method the app is registered for (section 2)."""
    if certificate is None or app.certificate is None:
        return False
    try:
        read = parse(certificate)
    except CertificateError:
        return False
    if not read.not_before <= now <= read.not_after:
        return False
    if app.auth_method == SELF_SIGNED:
        return is_known(app.certificate, certificate)
    return _has_name(read, app.certificate) and _is_trusted(settings.client_certificate_authorities, read, now)


def registered(auth_method: str, certificate: Mapping[str, Any] | None, jwks: Mapping[str, Any] | None) -> Any:
    """Return what is kept to know a client's certificate by; ValueError where that is missing or too much.

    Args:
        auth_method: `tls_client_auth` wants one of `NAMES` in `certificate`, `self_signed_tls_client_auth` keys with
            `x5c` in `jwks` or hashes in `certificate`, and every other method neither.
        certificate: as registered.
        jwks: the client's public keys.
    """
    given = dict(certificate or {})
    if auth_method == "tls_client_auth":
        texts = [value for name, value in given.items() if name in NAMES and isinstance(value, str) and value]
        if len(given) != 1 or len(texts) != 1:
            raise ValueError(f"tls_client_auth needs one of {', '.join(NAMES)}")
        return given
    if auth_method == SELF_SIGNED:
        hashes = [*given.pop(HASHES, []), *chained(jwks)]
        if given or not hashes or not all(isinstance(value, str) and len(value) == 43 for value in hashes):
            raise ValueError("self_signed_tls_client_auth needs keys with x5c, or x5t#S256 of certificates")
        return {HASHES: hashes}
    if given:
        raise ValueError("this method takes no certificate")
    return None


def chained(jwks: Mapping[str, Any] | None) -> list[str]:
    """Return the hash of the first certificate of every key that has some (RFC 7517 section 4.7)."""
    keys = (jwks or {}).get("keys", [])
    chains = [key["x5c"] for key in keys if isinstance(key, dict) and "x5c" in key] if isinstance(keys, list) else []
    try:
        return [key_of(parse(base64.b64decode(chain[0], validate=True)).der).thumbprint for chain in chains]
    except (CertificateError, LookupError, TypeError, ValueError):
        raise ValueError("x5c holds no certificate") from None


def stated(certificate: Mapping[str, Any] | None, jwks: Mapping[str, Any] | None) -> list[str]:
    """Return the hashes that were stated by themselves, and do not follow from these keys."""
    from_keys = chained(jwks)
    return [known for known in (certificate or {}).get(HASHES, ()) if known not in from_keys]


def is_known(certificate: Mapping[str, Any] | None, shown: bytes) -> bool:
    """Return whether the hash of a certificate (DER) is among those of a client that signs its own."""
    return key_of(shown).thumbprint in (certificate or {}).get(HASHES, ())


def _read(value: str) -> bytes | None:
    try:
        if value[0] == value[-1] == ":":
            return parse(base64.b64decode(value[1:-1], validate=True)).der
        found = parse_pem(unquote(value, errors="strict"))
    except (CertificateError, binascii.Error, ValueError):
        return None
    return found[0].der if len(found) == 1 else None


def _has_name(read: Certificate, certificate: Mapping[str, Any]) -> bool:
    ((name, wanted),) = certificate.items()
    return read.subject == wanted if name == SUBJECT else wanted in _alternatives(read.der, name)


def _alternatives(der: bytes, name: str) -> list[str]:
    try:
        extension = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []
    if name == SAN_DNS:
        return extension.value.get_values_for_type(x509.DNSName)
    return extension.value.get_values_for_type(x509.UniformResourceIdentifier)


def _is_trusted(authorities: Path | None, read: Certificate, now: datetime) -> bool:
    if authorities is None:
        return False
    try:
        anchors = _anchors(authorities)
    except (OSError, CertificateError):
        log.error("mtls.authorities_unreadable")  # noqa: TRY400 - the path says enough
        return False
    report = verify_path(read, (), anchors, at=now)
    return report.result in {Result.OK, Result.NOTICE}


@lru_cache(maxsize=8)
def _anchors(path: Path) -> list[Certificate]:
    return parse_pem(path.read_bytes())
