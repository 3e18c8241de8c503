"""Time stamps (时间戳) for what is sealed here (RFC 3161): from the configured authority, perhaps our own small one.

Where an authority is configured and does not answer, nothing is sealed: a seal that was to have a trusted time and has
none would look the same as one that has.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.cms import SHA256, SM3, digest
from keys.timestamp import MAX_REQUEST, TimestampError, read_token, token_in, write_request
from keys.timestamp_issue import answer
from seals.authority import TIME_STAMPER, party_of
from seals.decoding import read_signature
from seals.deeds import Deed
from seals.encoding import encode_signature
from seals.time_client import TimeClientError, ask

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {"timestamp_unavailable": Kind(503, "时间戳服务不可用，未盖章", "No time stamp could be had; nothing was sealed")}
)

POLICY = "2.25.329800735698586629295641978511506172918.1"  # an arc of a UUID (X.667): the demonstration's own
PATH = "/tsa"
_NONCE_BITS = 63


def is_asked_elsewhere(call: Call) -> bool:
    """Return whether the configured authority is another program: to wait for it, no writing transaction is held."""
    return call.settings.timestamp_url not in {None, call.settings.issuer + PATH}


def token_over(call: Call, signature: bytes, *, algorithm: str = SHA256) -> bytes | None:
    """Return a TimeStampToken over a signature value, None where no authority is configured.

    Raises:
        Problem: timestamp_unavailable.
    """
    url = call.settings.timestamp_url
    if url is None:
        return None
    nonce = secrets.randbits(_NONCE_BITS)
    request = write_request(signature, nonce=nonce, algorithm=algorithm)
    try:
        response = answered(call, request) if url == call.settings.issuer + PATH else ask(url, request)
        token = token_in(response)
        read = read_token(token)
    except (TimeClientError, TimestampError):
        raise Problem("timestamp_unavailable", "Try again in a minute.") from None
    expected = digest(algorithm, signature) or b""
    if read.nonce != nonce or not hmac.compare_digest(read.imprint.value, expected):
        raise Problem("timestamp_unavailable", "The authority answered another question.")
    return token


def with_time(call: Call, sealed: bytes) -> bytes:
    """Return an SES_Signature with a time stamp over its value, or as it is where no authority is configured.

    Raises:
        Problem: timestamp_unavailable.
    """
    if call.settings.timestamp_url is None:
        return sealed
    signed = read_signature(sealed)
    token = token_over(call, signed.signature, algorithm=SM3)
    return encode_signature(signed.tbs_der, signed.signer_certificate, signed.signature, token)


def answered(call: Call, request: bytes) -> bytes:
    """Return our own authority's TimeStampResp to a request; a refusal is an answer too.

    Raises:
        Problem: unavailable, where the authority is not set up.
    """
    party = party_of(call, TIME_STAMPER)
    serial = secrets.randbits(126) | 1 << 126  # unique without a counter that processes would share
    response, granted = answer(
        request[: MAX_REQUEST + 1],
        certificate=party.certificate,
        sign=party.sign,
        policy=POLICY,
        serial=serial,
        at=call.now.replace(microsecond=0),
    )
    if granted is not None:
        audit.record(call, Deed.TIME_STAMPED, time_stamp=f"{serial:x}", imprint=granted.imprint.value.hex())
    return response
