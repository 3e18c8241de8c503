"""Do presentations meet a query (凭证查询匹配)? OpenID4VP 1.0 sections 6.4 and 7: claims by path, sets of both kinds.

A wallet chooses; the verifier checks that what came is what was asked, whole and by itself (section 8.6): every
presentation meets the one query it is given for, and together they meet the sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from licences.wallets.presentation.dcql import Claim, Constant, CredentialQuery, Query, Step


class NotMetError(ValueError):
    """The presentations do not answer the query; `code` says why, `credential` (its id, or empty) where.

    Codes: `unasked format type claim authority holder_binding multiple missing`.
    """

    def __init__(self, code: str, credential: str = "") -> None:
        super().__init__(f"{credential}: {code}")
        self.code = code
        self.credential = credential


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a query looks at in a presentation: `claims` are those that came, an mdoc's by namespace."""

    format: str
    types: frozenset[str]
    claims: Mapping[str, Any]
    is_bound: bool
    authorities: frozenset[tuple[str, str]] = frozenset()


def check(query: Query, presented: Mapping[str, Sequence[Candidate]]) -> None:
    """Check presentations by the id of the query they are given for; raises `NotMetError`."""
    for name, candidates in presented.items():
        asked = query.credentials.get(name)
        if asked is None:
            raise NotMetError("unasked", name)
        if not candidates or (len(candidates) > 1 and not asked.multiple):
            raise NotMetError("multiple", name)
        for candidate in candidates:
            check_one(asked, candidate)
    if not _sets_met(query, frozenset(presented)):
        raise NotMetError("missing")


def check_one(asked: CredentialQuery, candidate: Candidate) -> None:
    """Check one presentation against the query for it; raises `NotMetError`."""
    if candidate.format != asked.format:
        raise NotMetError("format", asked.id)
    if not any(wanted <= candidate.types for wanted in asked.types):
        raise NotMetError("type", asked.id)
    if asked.is_bound and not candidate.is_bound:
        raise NotMetError("holder_binding", asked.id)
    if asked.authorities and asked.authorities.isdisjoint(candidate.authorities):
        raise NotMetError("authority", asked.id)
    if claims_met(asked, candidate.claims) is None:
        raise NotMetError("claim", asked.id)


def claims_met(asked: CredentialQuery, claims: Mapping[str, Any]) -> tuple[Claim, ...] | None:
    """Return the wanted claims that these answer: of the first set that they answer whole; None where there is none."""
    for chosen in asked.claim_sets or (tuple(range(len(asked.claims))),):
        wanted = tuple(asked.claims[place] for place in chosen)
        if all(_is_met(claim, claims) for claim in wanted):
            return wanted
    return None


def select(claims: Any, path: Sequence[Step]) -> list[Any]:
    """Return what a path points at (section 7.1); nothing where it leads nowhere or through another kind of value."""
    found = [claims]
    for step in path:
        following: list[Any] = []
        for value in found:
            if isinstance(step, str):
                if not isinstance(value, dict):
                    return []
                following += [value[step]] if step in value else []
            else:
                if not isinstance(value, list):
                    return []
                following += value if step is None else value[step : step + 1]
        found = following
    return found


def _is_met(claim: Claim, claims: Mapping[str, Any]) -> bool:
    found = select(claims, claim.path)
    if not claim.values:
        return bool(found)
    return any(_same(value, wanted) for value in found for wanted in claim.values)


def _same(value: Any, wanted: Constant) -> bool:
    """Return whether type and value are the same: true is not 1 (section 6.4.1)."""
    return type(value) is type(wanted) and bool(value == wanted)


def _sets_met(query: Query, presented: frozenset[str]) -> bool:
    if not query.sets:
        return query.credentials.keys() <= presented
    return all(any(option <= presented for option in each.options) for each in query.sets if each.required)
