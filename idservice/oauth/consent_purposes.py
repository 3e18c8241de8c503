"""The lines of a consent page as a receipt repeats them: scopes, single claims, details, APIs (同意的各项内容)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from idservice.oauth import consent_words, resource_servers, scopes, verified_claims
from idservice.oauth.claims_request import VERIFIED
from idservice.oauth.consent_receipt import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.authorization_details import Details
    from idservice.oauth.clients import App
    from idservice.oauth.detail_types import Words
    from idservice.oauth.granted import Granted


def of_scope(scope: Collection[str], *, organisation: bool) -> list[Purpose]:
    """Return the lines of scopes, in the order of the catalogue."""
    known = (found for name, found in scopes.CATALOGUE.items() if name in scope)
    return [Purpose("scope", s.name, s.zh, s.en, _learnt(s.name, organisation=organisation)) for s in known]


def beyond_scope(call: Call, app: App, granted: Granted, *, organisation: bool) -> list[Purpose]:
    """Return the lines of what a request asks for beyond its scope."""
    return [
        *_claims(app, granted, organisation=organisation),
        *_details(call, granted.details),
        *_resources(call, granted),
    ]


def _learnt(scope: str, *, organisation: bool) -> tuple[str, ...]:
    plain = scopes.claims_of(frozenset({scope}), organisation=organisation)
    verified = verified_claims.by_scope({scope}, organisation=organisation)
    return (*plain, *(f"{VERIFIED}.{name}" for name in verified))


def _claims(app: App, granted: Granted, *, organisation: bool) -> list[Purpose]:
    single = granted.claims.anywhere(app.scope, organisation=organisation)
    found = [_line("claim", name, scopes.CLAIM_TITLES[name], (name,)) for name in single]
    for name in verified_claims.named(app, granted, organisation=organisation):
        words = verified_claims.title(name, organisation=organisation)
        found.append(_line("verified_claim", name, words, (f"{VERIFIED}.{name}",)))
    if found and verified_claims.wants_evidence(app, granted):
        found.append(_line("verified_claim", "evidence", verified_claims.EVIDENCE))
    return found


def _line(kind: str, name: str, words: Words, learnt: tuple[str, ...] = ()) -> Purpose:
    return Purpose(kind, name, (words[0], ""), (words[1], ""), learnt)


def _details(call: Call, details: Details) -> list[Purpose]:
    return [
        Purpose(
            "authorization_detail",
            told.type,
            (told.title[0], told.explanation[0]),
            (told.title[1], told.explanation[1]),
            detail=told.detail,
        )
        for told in consent_words.details(call, details)
    ]


def _resources(call: Call, granted: Granted) -> list[Purpose]:
    own = resource_servers.own(call.settings).identifier
    others = [name for name in granted.resources if name != own]
    return [_line("resource", found, words) for words, found in consent_words.resources(call, others)]
