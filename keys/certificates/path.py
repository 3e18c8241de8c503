"""From a signer's certificate to a trusted root (证书链验证); RFC 5280 clause 6.1, GB/T 38540-2020 clauses 6.3 and 7.3.

Certificates are judged at signing time. An anchor is a name and a key: what else its certificate says or lacks is at
most a notice. Where no anchor is reached nothing was found wrong, only nothing is known: `not_checked`.
Revocation is looked up in `keys.certificates.revocation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from keys.certificates.certificate import Certificate
from keys.certificates.extensions import ANY_USAGE, EXTENDED_KEY_USAGE, TIME_STAMPING, KeyUsage
from keys.certificates.signature import SUPPORTED, is_signed_by
from keys.verdict import Check, Reason, Result
from keys.verdict import reasons as reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

MAX_PATH = 6  # certificates from leaf to anchor, both included
MAX_SIGNATURE_CHECKS = 24  # however many certificates with one name are handed in

_SEVERITY = (Result.OK, Result.NOTICE, Result.NOT_CHECKED, Result.FAIL)
_SIGNING = {KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION}
# Purposes that have nothing to do with documents: TLS servers, time stamps, OCSP answers (RFC 5280 4.2.1.12).
_NOT_FOR_DOCUMENTS = {"1.3.6.1.5.5.7.3.1", TIME_STAMPING, "1.3.6.1.5.5.7.3.9"}


class Purpose(StrEnum):
    """What the certificate at the end of a path is wanted for."""

    DOCUMENTS = "documents"
    TIME_STAMPING = "time_stamping"


class PathReport(NamedTuple):
    """What was found about one certificate: named checks, and the path from it to its anchor (empty if none).

    The checks are `chain`, and where an anchor was reached `validity`, `key_usage` and `constraints`.
    """

    checks: tuple[Check, ...]
    path: tuple[Certificate, ...] = ()

    @property
    def result(self) -> Result:
        """Return the worst result of all checks."""
        return max(self.checks, key=_severity).result

    @property
    def reasons(self) -> list[str]:
        """Return the distinct reason codes."""
        return reasons_of(self.checks)

    def as_check(self, name: str) -> Check:
        """Return all of it as one check called `name`, e.g. `signer_certificate`: the worst result and why."""
        worst = max(self.checks, key=_severity)  # the first of several
        if worst.result is Result.OK:
            return Check(name, Result.OK)
        details = [check.detail for check in self.checks if check.result is not Result.OK and check.detail]
        return Check(name, worst.result, "; ".join(details), worst.reason)


def verify_path(
    leaf: Certificate,
    intermediates: Iterable[Certificate],
    anchors: Sequence[Certificate],
    *,
    at: datetime,
    now: datetime | None = None,
    purpose: Purpose = Purpose.DOCUMENTS,
) -> PathReport:
    """Look for a path from `leaf` to one of `anchors` and judge it as of `at` (aware), for signing documents or times.

    With `now`, a certificate that was good at `at` and has expired since is a notice. Never raises for what the
    certificates contain; the number of signatures tried is bounded. Of several paths the best one is reported.
    """
    best: PathReport | None = None
    candidates, otherwise = _searched(leaf, tuple(intermediates), tuple(anchors))
    for candidate in candidates:
        path, anchor = candidate.path, candidate.path[-1]
        validity = _validity(path[:-1] or path, anchor, at, now)
        report = PathReport((candidate.chain, validity, _key_usage(leaf, purpose), candidate.constraints), path)
        if best is None or _severity(report) < _severity(best):
            best = report
        if report.result in (Result.OK, Result.NOTICE):
            break
    return best or PathReport((otherwise,))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One path to an anchor, and what can be said of it without a time."""

    path: tuple[Certificate, ...]
    chain: Check
    constraints: Check


@lru_cache(maxsize=256)
def _searched(
    leaf: Certificate, intermediates: tuple[Certificate, ...], anchors: tuple[Certificate, ...]
) -> tuple[tuple[_Candidate, ...], Check]:
    """Return every path from `leaf` to one of `anchors`, and what to say where there is none.

    Remembered, because it depends on these certificates alone: the instant is judged anew each time.
    """
    search = _Search(anchors, intermediates)
    found = tuple(
        _Candidate(path, Check("chain", Result.OK, f"leads to {path[-1].subject}"), _constraints(path))
        for path in search.paths((leaf,))
    )
    return found, search.verdict_without_path()


class _Search:
    """Walks from issuer to issuer, anchors first."""

    def __init__(self, anchors: Sequence[Certificate], intermediates: Iterable[Certificate]) -> None:
        self._anchors = anchors
        self._others = [other for other in intermediates if not any(_same(other, anchor) for anchor in anchors)]
        self._left = MAX_SIGNATURE_CHECKS
        self._forged: Certificate | None = None

    def paths(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Yield every path that begins with `path` and ends at an anchor."""
        last = path[-1]
        if any(_same(last, anchor) for anchor in self._anchors):
            yield path
            return
        if len(path) == MAX_PATH:
            return
        for anchor in self._issuers_of(last, self._anchors):
            yield (*path, anchor)
        for issuer in self._issuers_of(last, self._others):
            if not any(_same(issuer, earlier) for earlier in path):
                yield from self.paths((*path, issuer))

    def verdict_without_path(self) -> Check:
        """Return why no anchor was reached: a signature that is not its issuer's, or a root nobody here knows."""
        if self._forged is not None:
            detail = f"the certificate of {self._forged.subject} was not signed by the key of its issuer"
            return Check("chain", Result.FAIL, detail, Reason.CERTIFICATE_UNTRUSTED)
        return Check(
            "chain", Result.NOT_CHECKED, "the certificate leads to no known root", Reason.CERTIFICATE_UNTRUSTED
        )

    def _issuers_of(self, certificate: Certificate, candidates: Sequence[Certificate]) -> Iterator[Certificate]:
        named = [candidate for candidate in candidates if candidate.subject == certificate.issuer]
        for candidate in sorted(named, key=lambda one: not _same_key_id(certificate, one)):
            if self._left == 0:
                return
            self._left -= 1
            if is_signed_by(certificate, candidate):
                yield candidate
            elif _same_key_id(certificate, candidate) and certificate.signature_algorithm in SUPPORTED:
                self._forged = certificate


def _severity(found: Check | PathReport) -> int:
    return _SEVERITY.index(found.result)


def _same(one: Certificate, other: Certificate) -> bool:
    """Return whether both are one name with one key, which is all that an anchor is."""
    return one.subject == other.subject and one.spki == other.spki


def _same_key_id(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether the key identifiers agree, or at least do not contradict (a root may have had two keys)."""
    wanted, found = certificate.extensions.authority_key_id, issuer.extensions.subject_key_id
    return wanted is None or found is None or wanted == found


def _validity(below: Sequence[Certificate], anchor: Certificate, at: datetime, now: datetime | None) -> Check:
    for certificate in below:
        if at > certificate.not_after:
            detail = f"the certificate of {certificate.subject} had expired"
            return Check("validity", Result.FAIL, detail, Reason.CERTIFICATE_EXPIRED_AT_SIGNING)
        if at < certificate.not_before:
            detail = f"the certificate of {certificate.subject} was not yet valid"
            return Check("validity", Result.FAIL, detail, Reason.NOT_YET_VALID)
    if not anchor.not_before <= at <= anchor.not_after:
        return Check("validity", Result.NOTICE, f"the root's own certificate, {anchor.subject}, was not valid then")
    if now is not None and any(now > certificate.not_after for certificate in below):
        return Check("validity", Result.NOTICE, "valid at signing time, expired since")
    return Check("validity", Result.OK)


def _key_usage(leaf: Certificate, purpose: Purpose) -> Check:
    stated = leaf.extensions.extended_usage
    result, detail = Result.OK, ""
    if leaf.key_usage is not None and not leaf.key_usage & _SIGNING:
        result, detail = Result.FAIL, "the certificate is not meant for signing"
    elif purpose is Purpose.TIME_STAMPING:
        # RFC 3161 2.3 wants this purpose alone, and critical; some authorities state others beside it.
        if stated is None or TIME_STAMPING not in stated:
            result, detail = Result.FAIL, "the certificate is not that of a time-stamp authority"
    elif stated is not None and stated <= _NOT_FOR_DOCUMENTS:
        result = Result.FAIL if EXTENDED_KEY_USAGE in leaf.extensions.critical else Result.NOTICE
        detail = "the certificate is meant for other things than documents"
    elif leaf.key_usage is None:
        result, detail = Result.NOTICE, "the certificate states no key usage"
    return Check("key_usage", result, detail, Reason.CERTIFICATE_UNTRUSTED if result is Result.FAIL else None)


def _constraints(path: tuple[Certificate, ...]) -> Check:
    """Judge what the certificates allow each other, from the leaf up; the anchor's own words are at most a notice."""
    for depth, certificate in enumerate(path[:-1] or path):
        problem = _problem_of(certificate, depth) if depth else _unknown_critical(certificate)
        if problem:
            return Check("constraints", Result.FAIL, problem, Reason.CERTIFICATE_UNTRUSTED)
    if len(path) > 1 and (problem := _problem_of(path[-1], len(path) - 1)):
        return Check("constraints", Result.NOTICE, f"configured as a root although {problem}")
    return Check("constraints", Result.OK)


def _problem_of(issuer: Certificate, depth: int) -> str:
    """Return why `issuer`, `depth` steps above the leaf, may not issue what stands below it; empty if it may."""
    if issuer.is_ca is not True:
        return f"the certificate of {issuer.subject} is not that of an authority"
    if issuer.key_usage is not None and KeyUsage.KEY_CERT_SIGN not in issuer.key_usage:
        return f"the key of {issuer.subject} is not meant for signing certificates"
    allowed = issuer.extensions.path_length
    if allowed is not None and depth - 1 > allowed:
        return f"{issuer.subject} allows fewer authorities below it"
    usages = issuer.extensions.extended_usage
    if EXTENDED_KEY_USAGE in issuer.extensions.critical and usages is not None and ANY_USAGE not in usages:
        return f"{issuer.subject} issues for special purposes only"
    return _unknown_critical(issuer)


def _unknown_critical(certificate: Certificate) -> str:
    unknown = certificate.extensions.unknown_critical
    return (
        f"the certificate of {certificate.subject} has extensions unknown here: {', '.join(unknown)}" if unknown else ""
    )
