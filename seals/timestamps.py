"""The time of a seal signature (签章时间): what the signer claims, and what a time-stamp authority confirms.

GB/T 38540-2020 clauses 7.1 and 7.3, GM/T 0031-2025 for the seal's own time stamp, RFC 3161. A token lies over the
signature value. Claimed and trusted time are never mixed: reports carry both.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from keys.certificates.revocation import worst_of
from keys.timestamp import Stamped, verify_token
from keys.verdict import Check, Reason, Result

if TYPE_CHECKING:
    from datetime import datetime

    from seals.structure import Seal, SealSignature
    from seals.trust import Trust

CLOCK_SKEW = timedelta(minutes=5)  # a signing time this far ahead of our clock, or an authority's, is still believed
LATE = timedelta(days=1)  # a time stamp this long after the claimed time deserves a reader
NAME = "timestamp"


def time_of(signed: SealSignature, trust: Trust) -> Stamped | None:
    """Judge the times of a seal signature; None where nothing but the signer's word is there and it can be."""
    parts = []
    if signed.timestamp is not None:
        parts.append(claimed_and_trusted(signed.timestamp, signed.signature, signed.signed_at, trust))
    seal = time_of_seal(signed.seal, trust)
    if seal is not None:
        parts.append(Stamped(seal.check))  # says when the seal was made, not when it was used
    if signed.signed_at > trust.now + CLOCK_SKEW:
        detail = "the time of signing lies in the future"
        parts.insert(0, Stamped(Check(NAME, Result.FAIL, detail, Reason.CLOCK_WRONG)))
    return _joined(parts)


def time_of_seal(seal: Seal, trust: Trust) -> Stamped | None:
    """Judge the time stamp of a GM/T 0031-2025 seal: it is valid, and the seal was not made after it."""
    if seal.timestamp is None:
        return None
    found = _verify(seal.timestamp, seal.signature, trust)
    if found.at is not None and seal.info.created_at > found.at + CLOCK_SKEW:
        detail = "the seal claims to have been made after its time stamp"
        return Stamped(Check(NAME, Result.FAIL, detail, Reason.CLOCK_WRONG))
    return found


def claimed_and_trusted(token: bytes, signature: bytes, claimed: datetime | None, trust: Trust) -> Stamped:
    """Judge a token over a signature value against the time that the signer claims."""
    found = _verify(token, signature, trust)
    if found.at is None or claimed is None:
        return found
    if claimed > found.at + CLOCK_SKEW:
        detail = f"the signer claims a later time than the authority's; {found.check.detail}"
        return Stamped(Check(NAME, Result.FAIL, detail, Reason.CLOCK_WRONG))
    if found.at - claimed > LATE:
        detail = f"{(found.at - claimed).days} days after the claimed time; {found.check.detail}"
        return Stamped(Check(NAME, Result.NOTICE, detail), found.at, found.authority)
    return found


def _verify(token: bytes, signature: bytes, trust: Trust) -> Stamped:
    return verify_token(
        token, signature, anchors=trust.anchors, intermediates=trust.intermediates, lists=trust.lists, now=trust.now
    )


def _joined(parts: list[Stamped]) -> Stamped | None:
    if not parts:
        return None
    trusted = next((part for part in parts if part.at is not None), None)
    check = worst_of([part.check for part in parts])
    if trusted is None or check.result is Result.FAIL:
        return Stamped(check)
    return Stamped(check, trusted.at, trusted.authority)
