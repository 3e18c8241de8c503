"""Was a certificate revoked (吊销) when it signed? RFC 5280 clause 6.3, judged at an instant like everything else.

Only lists that are at hand are consulted. A list speaks for a certificate if its issuer signed it; it speaks about an
instant if it was made after it, or was current then. What no list speaks about is `not_checked`, never `ok`.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from keys.certificates.crl import is_list_of
from keys.certificates.extensions import KeyUsage
from keys.verdict import Check, Reason, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from keys.certificates.certificate import Certificate
    from keys.certificates.crl import RevocationList

NAME = "revocation"
CLOCK_SKEW = timedelta(minutes=5)  # a list made this far ahead of our clock is still believed
_SEVERITY = (Result.OK, Result.NOTICE, Result.NOT_CHECKED, Result.FAIL)


def judge_revocation(
    path: Sequence[Certificate], lists: Iterable[RevocationList], *, at: datetime, now: datetime
) -> Check:
    """Return one check for all certificates of `path` (leaf first, anchor last) but the anchor, as of `at` (aware).

    Revoked at or before `at` fails, revoked since is a notice. An empty path, or an anchor alone, is `not_checked`.
    """
    at_hand = [one for one in lists if one.this_update <= now + CLOCK_SKEW]
    checks = [_judge(certificate, issuer, at_hand, at) for certificate, issuer in pairwise(path)] or [
        Check(NAME, Result.NOT_CHECKED, "no path to a known root whose lists could be consulted")
    ]
    return worst_of(checks)


def worst_of(checks: Sequence[Check]) -> Check:
    """Return the worst of some checks, with the details of all that are as bad."""
    if len(checks) == 1:
        return checks[0]
    worst = max(checks, key=lambda check: _SEVERITY.index(check.result))
    details = dict.fromkeys(check.detail for check in checks if check.result is worst.result and check.detail)
    return Check(worst.name, worst.result, "; ".join(details), worst.reason)


def _judge(certificate: Certificate, issuer: Certificate, lists: Sequence[RevocationList], at: datetime) -> Check:
    if issuer.key_usage is not None and KeyUsage.CRL_SIGN not in issuer.key_usage:
        lists = ()  # RFC 5280 6.3.3 (f): such a key signs no lists
    theirs = [one for one in lists if one.issuer == certificate.issuer and is_list_of(one, issuer)]
    if not theirs:
        return Check(NAME, Result.NOT_CHECKED, f"no revocation list of {issuer.subject} is at hand")
    found = [one.revoked[certificate.serial] for one in theirs if certificate.serial in one.revoked]
    if found:
        entry = min(found)
        what = f"the certificate of {certificate.subject} was revoked on {entry.since:%Y-%m-%d %H:%M:%S} UTC"
        if entry.since <= at:
            return Check(NAME, Result.FAIL, f"{what} ({entry.reason}), before it signed", Reason.KEY_REVOKED)
        return Check(NAME, Result.NOTICE, f"{what} ({entry.reason}), after the time of signing")
    if any(_speaks(one, certificate, at) for one in theirs):
        return Check(NAME, Result.OK)
    newest = max(one.this_update for one in theirs)
    detail = f"the newest revocation list of {issuer.subject}, of {newest:%Y-%m-%d}, does not reach the time of signing"
    return Check(NAME, Result.NOT_CHECKED, detail)


def _speaks(one: RevocationList, certificate: Certificate, at: datetime) -> bool:
    """Return whether silence in this list means that the certificate was good at `at`."""
    if one.this_update >= at:
        return one.this_update <= certificate.not_after  # afterwards entries may be dropped (RFC 5280 3.3)
    return one.next_update is not None and at <= one.next_update
