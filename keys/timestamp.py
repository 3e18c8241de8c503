"""Time stamps (时间戳): requests, tokens and their verification; RFC 3161, RFC 5816, GB/T 20520-2006.

A token says that somebody with the right key saw a digest at a time. Whether he is an authority is judged by his
certificate, which must be made for time stamps alone and lead to a trusted root, as of that time.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from keys.certificates import Purpose, der, judge_revocation, verify_path
from keys.certificates.certificate import read_algorithm
from keys.certificates.revocation import CLOCK_SKEW
from keys.cms import (
    SHA256,
    CMSError,
    SignedData,
    certificate_of,
    check_content,
    check_signature,
    digest,
    read_signed_data,
)
from keys.verdict import Check, Reason, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keys.certificates import Certificate, RevocationList

TST_INFO = "1.2.840.113549.1.9.16.1.4"
MAX_TOKEN = 1 << 18  # bytes
MAX_REQUEST = 4096  # bytes
_GRANTED = (0, 1)  # granted, granted with modifications
_NAME = "timestamp"


class TimestampError(ValueError):
    """Bytes that are no time stamp, or an authority that gave none."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """A digest and the OID of its algorithm: what a time stamp is about."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an authority (TimeStampReq)."""

    imprint: Imprint
    policy: str | None
    nonce: int | None
    wants_certificate: bool


@dataclass(frozen=True, slots=True)
class Token:
    """What an authority said (TSTInfo), inside what it signed."""

    signed: SignedData
    policy: str
    imprint: Imprint
    serial: int
    at: datetime
    nonce: int | None


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a time stamp is worth: one check `timestamp`, and the time and the authority where they can be trusted."""

    check: Check
    at: datetime | None = None
    authority: str | None = None


def write_request(data: bytes, *, nonce: int, algorithm: str = SHA256) -> bytes:
    """Return the DER of a request for a time stamp over `data`, asking for the authority's certificate."""
    value = digest(algorithm, data)
    if value is None:
        raise TimestampError("no such digest is made here")
    parts = der.write_integer(1), write_imprint(Imprint(algorithm, value)), der.write_integer(nonce)
    return der.write(der.SEQUENCE, *parts, der.write(der.BOOLEAN, b"\xff"))


def write_imprint(imprint: Imprint) -> bytes:
    """Return the DER of a MessageImprint."""
    algorithm = der.write(der.SEQUENCE, der.write_oid(imprint.algorithm))
    return der.write(der.SEQUENCE, algorithm, der.write(der.OCTET_STRING, imprint.value))


def read_request(data: bytes) -> Request:
    """Read a TimeStampReq. Raise TimestampError."""
    try:
        return _request(data[: MAX_REQUEST + 1])
    except der.DERError as error:
        raise TimestampError(f"not a time-stamp request: {error}") from error


def token_in(response: bytes) -> bytes:
    """Return the token inside a TimeStampResp. Raise TimestampError where the authority gave none."""
    try:
        fields = der.children(der.read_only(response, der.SEQUENCE), at_most=2)
        status = der.children(fields[0].expect(der.SEQUENCE), at_most=3) if fields else []
        code = der.read_integer(status[0].expect(der.INTEGER)) if status else -1
    except der.DERError as error:
        raise TimestampError(f"not a time-stamp response: {error}") from error
    if code not in _GRANTED or len(fields) != 2:
        raise TimestampError(f"the authority gave no time stamp: status {code}")
    return fields[1].raw


def read_token(data: bytes) -> Token:
    """Read a TimeStampToken, or the one in a whole TimeStampResp, as some makers store it. Raise TimestampError."""
    if len(data) > MAX_TOKEN:
        raise TimestampError(f"a time stamp has at most {MAX_TOKEN} bytes")
    try:
        signed = read_signed_data(data)
    except CMSError as error:
        try:
            signed = read_signed_data(token_in(data))
        except (TimestampError, CMSError):
            raise TimestampError(str(error)) from error
    if signed.content_type != TST_INFO or signed.content is None or len(signed.signers) != 1:
        raise TimestampError("a time stamp holds a TSTInfo signed by one authority")
    try:
        return _token(signed, signed.content)
    except der.DERError as error:
        raise TimestampError(f"not a TSTInfo: {error}") from error


def verify_token(
    data: bytes,
    stamped: bytes,
    *,
    anchors: Sequence[Certificate],
    intermediates: Iterable[Certificate] = (),
    lists: Iterable[RevocationList] = (),
    now: datetime,
) -> Stamped:
    """Judge a time stamp over the bytes `stamped`. The time is told only where the authority can be trusted."""
    try:
        token = read_token(data)
    except TimestampError as error:
        return Stamped(Check(_NAME, Result.NOT_CHECKED, str(error)))  # some maker's own form: it proves nothing
    if (problem := _problem(token, stamped, now)) is not None:
        return problem
    signed, signer = token.signed, token.signed.signers[0]
    certificate = certificate_of(signed, signer, intermediates)
    if certificate is None:
        return Stamped(Check(_NAME, Result.NOT_CHECKED, "the certificate of the time-stamp authority is not at hand"))
    for check in (check_signature(signed, signer, certificate), check_content(signer, signed.content or b"")):
        if check.result is not Result.OK:
            return _no(f"the time stamp does not hold: {check.detail}")
    others = (*signed.certificates, *intermediates)
    path = verify_path(certificate, others, anchors, at=token.at, now=now, purpose=Purpose.TIME_STAMPING)
    revoked = judge_revocation(path.path, (*lists, *signed.lists), at=token.at, now=now)
    if revoked.result is Result.FAIL:
        return Stamped(Check(_NAME, Result.FAIL, revoked.detail, revoked.reason))
    return _worth(token.at, certificate, path.as_check(_NAME))


def _worth(at: datetime, certificate: Certificate, verdict: Check) -> Stamped:
    """Tell time and authority where the authority's certificate is good, at most the time where its root is unknown."""
    if verdict.result is Result.FAIL:
        return Stamped(verdict)
    if verdict.result is Result.NOT_CHECKED:
        detail = f"{at:%Y-%m-%d %H:%M:%S} UTC by an authority that leads to no known root"
        return Stamped(Check(_NAME, Result.NOT_CHECKED, detail))
    name = certificate.common_name or certificate.subject
    detail = f"{at:%Y-%m-%d %H:%M:%S} UTC by {name}"
    detail = f"{detail}; {verdict.detail}" if verdict.detail else detail
    return Stamped(Check(_NAME, verdict.result, detail), at, name)


def _problem(token: Token, stamped: bytes, now: datetime) -> Stamped | None:
    found = digest(token.imprint.algorithm, stamped)
    if found is None or not hmac.compare_digest(found, token.imprint.value):
        return _no("the time stamp is about something else")
    if token.at > now + CLOCK_SKEW:
        return _no("the time of the time stamp lies in the future", Reason.CLOCK_WRONG)
    return None


def _no(detail: str, reason: Reason = Reason.SIGNATURE_INVALID) -> Stamped:
    return Stamped(Check(_NAME, Result.FAIL, detail, reason))


def _request(data: bytes) -> Request:
    fields = der.children(der.read_only(data, der.SEQUENCE), at_most=6)
    if len(fields) < 2 or der.read_integer(fields[0].expect(der.INTEGER)) != 1:
        raise der.DERError("a request has version 1 and an imprint")
    imprint, rest = _imprint(fields[1]), fields[2:]
    policy = der.read_oid(rest.pop(0).content) if rest and rest[0].tag == der.OID else None
    nonce = der.read_integer(rest.pop(0).content) if rest and rest[0].tag == der.INTEGER else None
    wants = der.read_boolean(rest.pop(0).content) if rest and rest[0].tag == der.BOOLEAN else False
    if rest:
        raise der.DERError("extensions are not understood here")
    return Request(imprint, policy, nonce, wants)


def _token(signed: SignedData, content: bytes) -> Token:
    fields = der.children(der.read_only(content, der.SEQUENCE), at_most=10)
    if len(fields) < 5 or der.read_integer(fields[0].expect(der.INTEGER)) != 1:
        raise der.DERError("version 1 with its five fields was expected")
    nonces = [one for one in fields[5:] if one.tag == der.INTEGER]
    return Token(
        signed=signed,
        policy=der.read_oid(fields[1].expect(der.OID)),
        imprint=_imprint(fields[2]),
        serial=der.read_integer(fields[3].expect(der.INTEGER)),
        at=_time(fields[4].expect(der.GENERALIZED_TIME)),
        nonce=der.read_integer(nonces[0].content) if nonces else None,
    )


def _imprint(element: der.Element) -> Imprint:
    parts = der.children(element.expect(der.SEQUENCE), at_most=2)
    if len(parts) != 2:
        raise der.DERError("an imprint has an algorithm and a value")
    return Imprint(read_algorithm(parts[0])[0], parts[1].expect(der.OCTET_STRING))


def _time(content: bytes) -> datetime:
    """Return a GeneralizedTime with or without a fraction of a second (RFC 3161 2.4.2)."""
    text = content.decode("latin-1")
    form = "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ"
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if len(whole) != 14 or not whole.isdecimal() or (fraction and not fraction.isdecimal()) or len(fraction) > 9:
        raise der.DERError("a time is YYYYMMDDhhmmss[.f]Z")
    text = f"{whole}.{fraction[:6]}Z" if fraction else f"{whole}Z"
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as error:
        raise der.DERError("a time is no time") from error
