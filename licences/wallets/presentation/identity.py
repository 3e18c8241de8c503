"""Who asks, as wallets see it (核验方身份): the house's own key for requests, and its certificate.

The key has a purpose of its own and signs nothing else; the certificate hangs from the root for documents and names the
host, so that a wallet can find the verifier by hash (`x509_hash`) or by name (`x509_san_dns`).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from idservice.errors import Problem
from keys import jws
from keys.ring import Purpose, RingError
from licences.wallets.presentation import request
from licences.wallets.presentation.request import Prefix
from seals import house_certificate
from seals.house_certificate import VERIFIER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from idservice.call import Call
    from keys.signer import Signer


@dataclass(frozen=True, slots=True)
class Identity:
    """The key that signs requests, and the certificate (DER) that says whose it is."""

    signer: Signer
    certificate: bytes
    host: str

    def client_id(self, prefix: Prefix, response_uri: str) -> str:
        """Return the client identifier with that prefix."""
        return request.client_id(prefix, certificate=self.certificate, host=self.host, response_uri=response_uri)

    def sign(self, parameters: Mapping[str, Any]) -> str:
        """Return a signed request object (RFC 9101)."""
        return jws.encode(parameters, signer=self.signer, typ=request.TYPE, chain=[self.certificate])


def of_house(call: Call) -> Identity:
    """Return who we are; the first call makes the certificate, and needs a writing transaction.

    Raises:
        Problem: unavailable, where there is no key (`flask keys new`) or no root for documents.
    """
    try:
        signer = call.keys.signer(Purpose.VERIFIER)
    except RingError:
        raise Problem("unavailable", "There is no key for requests to wallets: run `flask keys new`.") from None
    host = urlsplit(call.settings.issuer).hostname or ""
    names = (host,) if is_name(host) else ()
    found = house_certificate.certificate_of(call, signer.public, VERIFIER, dns_names=names)
    return Identity(signer, found.der, host)


def is_name(host: str) -> bool:
    """Return whether a host is a name and not an address: only names stand in a certificate here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
