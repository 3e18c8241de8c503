"""Whom the verifier relies on, and what that makes of a certificate (证书信任): GB/T 38540-2020 clauses 6.3 and 7.3.

An anchor is a name and a key. A maker of seals (制章者) has to be permitted: under an anchor for which makers are
configured nobody else makes seals, however good his certificate, because an authority certifies many who are no
makers. Where none is configured under an anchor, the answer says so (`notice`). A verifier that is told roots alone
(`makers` None) takes whoever they certify for a maker.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from keys.certificates import CertificateError, PathReport, judge_revocation, parse, verify_path
from keys.certificates.revocation import worst_of
from keys.verdict import Check, Reason, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from keys.certificates import Certificate, RevocationList

_NOT_A_CERTIFICATE = PathReport((Check("chain", Result.FAIL, "not a certificate", Reason.CERTIFICATE_UNTRUSTED),))
_GOOD = frozenset({Result.OK, Result.NOTICE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the verifier relies on: roots, further CA certificates, revocation lists, permitted makers, and the time."""

    anchors: Sequence[Certificate]
    now: datetime
    intermediates: Sequence[Certificate] = ()
    lists: Sequence[RevocationList] = ()
    makers: Sequence[Certificate] | None = None


def certificate_in(der: bytes) -> Certificate | None:
    """Return the certificate that a seal carries, None where the bytes are none."""
    try:
        return parse(der)
    except CertificateError:
        return None


def trace(der: bytes, trust: Trust, at: datetime) -> PathReport:
    """Look for the path of a certificate to a trusted root, judged as of `at`."""
    certificate = certificate_in(der)
    if certificate is None:
        return _NOT_A_CERTIFICATE
    return verify_path(certificate, trust.intermediates, trust.anchors, at=at, now=trust.now)


def judge_maker(traced: PathReport, trust: Trust) -> Check:
    """Return `seal_maker`: the maker's certificate leads to a trusted root, and he is permitted to make seals."""
    check = traced.as_check("seal_maker")
    if check.result not in _GOOD or trust.makers is None:
        return check
    maker, anchor = traced.path[0], traced.path[-1]
    if any(_same(maker, permitted) for permitted in trust.makers):
        return check
    if any(_leads_to(permitted, anchor, tuple(trust.intermediates)) for permitted in trust.makers):
        detail = f"{maker.subject} is no permitted maker of seals"
        return Check("seal_maker", Result.FAIL, detail, Reason.CERTIFICATE_UNTRUSTED)
    detail = f"which makers are permitted under {anchor.subject} is not configured"
    return Check("seal_maker", Result.NOTICE, f"{check.detail}; {detail}" if check.detail else detail)


def revocation(judged: Sequence[tuple[PathReport, datetime]], trust: Trust) -> Check:
    """Return `revocation`, the worst of some paths, each as of its own instant."""
    checks = [judge_revocation(traced.path, trust.lists, at=at, now=trust.now) for traced, at in judged]
    return worst_of(checks)


def _same(one: Certificate, other: Certificate) -> bool:
    return one.subject == other.subject and one.spki == other.spki


@lru_cache(maxsize=256)
def _leads_to(maker: Certificate, anchor: Certificate, intermediates: tuple[Certificate, ...]) -> bool:
    return bool(verify_path(maker, intermediates, (anchor,), at=maker.not_before).path)
