"""What a seal holds (印章内容): its structure, certificate and title, in the clear for whoever may have them.

A person's name stands in the structure, the picture and the certificate of his seal, so the register keeps these
encrypted, bound to their row, and of the title what a mask leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keys.certificates import parse
from seals.decoding import read_seal

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.models import Seal

STRUCTURE, CERTIFICATE = ("seal", "seal_der"), ("seal", "signer_certificate")
DOCUMENT_CERTIFICATE = ("document_certificate", "certificate")


def kept(call: Call, seal: Any, column: tuple[str, str], data: bytes) -> bytes:
    """Return `data` as the register keeps it in that table and column; `seal` is a Seal or its row."""
    if seal.person is None:
        return data
    return call.cipher.seal(data, table=column[0], column=column[1], row=seal.seal_id)


def opened(call: Call, seal: Any, column: tuple[str, str], data: bytes) -> bytes:
    """Return what was `kept`."""
    if seal.person is None:
        return data
    return call.cipher.open(data, table=column[0], column=column[1], row=seal.seal_id)


def structure(call: Call, seal: Seal) -> bytes:
    """Return the SESeal (DER)."""
    return opened(call, seal, STRUCTURE, seal.seal_der)


def certificate(call: Call, seal: Seal) -> bytes:
    """Return the signer's certificate (DER)."""
    return opened(call, seal, CERTIFICATE, seal.signer_certificate)


def bears(call: Call, seal: Seal) -> str | None:
    """Return the owner's name that the seal bears."""
    return parse(certificate(call, seal)).common_name


def title(call: Call, seal: Seal) -> str:
    """Return what the seal is called, in full."""
    return read_seal(structure(call, seal)).info.name
