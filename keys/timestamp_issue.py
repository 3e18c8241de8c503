"""Give time stamps (签发时间戳): the answer of a small authority to a request; RFC 3161 clause 2.4.

Meant for the demonstration and for tests: the time is this machine's, and nobody audits it.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from keys.certificates import Certificate, der
from keys.cms import SHA256, SHA384, SHA512, SM3
from keys.cms_write import write_signed_data
from keys.timestamp import TST_INFO, Request, TimestampError, read_request, write_imprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_SIZES = {SM3: 32, SHA256: 32, SHA384: 48, SHA512: 64}
_GRANTED, _REJECTION = 0, 2
_BAD_ALGORITHM, _BAD_FORMAT, _POLICY = 0, 5, 15  # bits of PKIFailureInfo


def answer(
    data: bytes,
    *,
    certificate: Certificate,
    sign: Callable[[bytes], bytes],
    policy: str,
    serial: int,
    at: datetime,
) -> tuple[bytes, Request | None]:
    """Return the DER of a TimeStampResp to a TimeStampReq, and the request if it was granted.

    A refused request is an answer too, with its reason; `sign` then is not called. `at` is aware.
    """
    try:
        request = read_request(data)
    except TimestampError:
        return _refused(_BAD_FORMAT), None
    if _SIZES.get(request.imprint.algorithm) != len(request.imprint.value):
        return _refused(_BAD_ALGORITHM), None
    if request.policy not in {None, policy}:
        return _refused(_POLICY), None
    info = der.write(
        der.SEQUENCE,
        der.write_integer(1),
        der.write_oid(policy),
        write_imprint(request.imprint),
        der.write_integer(serial),
        der.write(der.GENERALIZED_TIME, f"{at.astimezone(UTC):%Y%m%d%H%M%S}Z".encode()),
        der.write(der.SEQUENCE, der.write_integer(1)),  # accuracy: one second
        *([] if request.nonce is None else [_nonce(request.nonce)]),
    )
    token = write_signed_data(
        info,
        certificate=certificate,
        sign=sign,
        content_type=TST_INFO,
        signed_at=at,
        with_certificate=request.wants_certificate,
    )
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write_integer(_GRANTED)), token), request


def _nonce(value: int) -> bytes:
    """Return the nonce as it came, of either sign."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return der.write(der.INTEGER, value.to_bytes(size, "big", signed=True))


def _refused(bit: int) -> bytes:
    flags = (1 << 31 >> bit).to_bytes(4, "big").rstrip(b"\0")
    failure = der.write(der.BIT_STRING, bytes([7 - bit % 8]), flags)
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write_integer(_REJECTION), failure))
