"""The claim `verified_claims` (经核实的信息), in the ID token or at userinfo, for an app registered for its scope.

OpenID Connect for Identity Assurance 1.0 sections 5.2 to 5.8. What the app asked for through the claims parameter is
answered, no more; an app that only asks for the scope gets the name, by which rules, how surely and when (5.8).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from idservice.numbers.credit_code import mask as mask_credit_code
from idservice.numbers.names import mask_name
from idservice.oauth import assurance, verified_request
from idservice.oauth.claims_request import TARGETS, USERINFO, VERIFIED

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.detail_types import Words
    from idservice.oauth.families import Family
    from idservice.oauth.granted import Granted
    from idservice.oauth.verified_request import Known

SCOPE: Final = "verified"
BY_SCOPE: Final = {
    "verification": dict.fromkeys(("trust_framework", "assurance_level", "time")),
    "claims": dict.fromkeys(("name", "credit_code")),
}
TITLES: Final = {
    "name": ("姓名（经核实）", "Name, verified"),
    "birthdate": ("出生日期（经核实）", "Date of birth, verified"),
    "credit_code": ("统一社会信用代码（经核实）", "Unified social credit code, verified"),
}
RECORDED: Final = {f"{VERIFIED}.{name}": words for name, words in TITLES.items()}  # as records and receipts name them
ORGANISATION_NAME: Final = ("单位名称（经核实）", "Name, verified")
EVIDENCE: Final = ("核实的依据", "What it was verified by")


def metadata() -> dict[str, Any]:
    """Return what discovery says of it (section 8)."""
    return {
        "verified_claims_supported": True,
        "trust_frameworks_supported": [assurance.TRUST_FRAMEWORK],
        "evidence_supported": list(assurance.EVIDENCE),
        "electronic_records_supported": list(assurance.RECORDS),
        "claims_in_verified_claims_supported": list(assurance.CLAIMS),
    }


def released(call: Call, app: App, family: Family, target: str, scope: Collection[str] = ()) -> dict[str, Any]:
    """Return the member for an ID token or a userinfo response, nothing where there is nothing to say.

    `scope` is that of the access token with which userinfo is read. Whoever got it by exchange gets what its scope
    gives: what another app asked for in single claims was allowed to that app.
    """
    stated = _stated(app, family.granted, target) if app.client_id == family.client_id else None
    if stated is None and target == USERINFO and SCOPE in family.scope and SCOPE in scope:
        stated = BY_SCOPE
    if stated is None:
        return {}
    mandate_id = family.mandate_id if family.principal is not None else None
    known = assurance.known(call, family.holder, person=family.subject, mandate_id=mandate_id)
    found = verified_request.answer(stated, known, now=call.now) if known is not None else None
    return {VERIFIED: found} if found is not None else {}


def named(app: App, granted: Granted, *, organisation: bool) -> tuple[str, ...]:
    """Return the claims that the claims parameter asks for, of those there are."""
    possible = assurance.ORGANISATION_CLAIMS if organisation else assurance.PERSON_CLAIMS
    asked = {name for stated in _all(app, granted) for name in verified_request.names(stated)}
    return tuple(name for name in possible if name in asked)


def essential(app: App, granted: Granted) -> set[str]:
    """Return the claims of the claims parameter that the app cannot do without, as far as it says."""
    return {name for stated in _all(app, granted) for name in verified_request.essential(stated)}


def by_scope(scope: Collection[str], *, organisation: bool) -> tuple[str, ...]:
    """Return the claims that the scope releases."""
    possible = assurance.ORGANISATION_CLAIMS if organisation else assurance.PERSON_CLAIMS
    return tuple(name for name in possible if name in BY_SCOPE["claims"]) if SCOPE in scope else ()


def learnt(app: App, granted: Granted, scope: Collection[str], *, organisation: bool) -> tuple[str, ...]:
    """Return under what name each verified claim stands in records and receipts, however it was asked for."""
    asked = {*named(app, granted, organisation=organisation), *by_scope(scope, organisation=organisation)}
    return tuple(f"{VERIFIED}.{name}" for name in assurance.CLAIMS if name in asked)


def wants_evidence(app: App, granted: Granted) -> bool:
    """Return whether the app asks what somebody was verified by."""
    return any(map(verified_request.wants_evidence, _all(app, granted)))


def shown(
    call: Call,
    app: App,
    granted: Granted,
    scope: Collection[str],
    *,
    person: str,
    holder: str,
    mandate_id: str | None,
    organisation: bool,
) -> list[tuple[str | None, Words, Words]]:
    """Return the lines of a consent page: each claim's name, which evidence has none of, title and masked value."""
    asked = {*named(app, granted, organisation=organisation), *by_scope(scope, organisation=organisation)}
    known = assurance.known(call, holder, person=person, mandate_id=mandate_id) if asked else None
    if known is None:
        return []
    lines: list[tuple[str | None, Words, Words]] = []
    for name in (name for name in known.claims if name in asked):
        value = masked(known, name, organisation=organisation)
        lines.append((f"{VERIFIED}.{name}", title(name, organisation=organisation), (value, value)))
    if wants_evidence(app, granted):
        sources = assurance.sources(known)
        lines.append((None, EVIDENCE, ("、".join(zh for zh, _en in sources), ", ".join(en for _zh, en in sources))))
    return lines


def masked(known: Known, name: str, *, organisation: bool) -> str:
    """Return a claim's value as the consent page shows it; an organisation's name is public."""
    value = str(known.claims[name])
    if name == "birthdate":
        return f"{value[:4]}-**-**"
    if name == "credit_code":
        return mask_credit_code(value)
    return value if organisation else mask_name(value)


def title(name: str, *, organisation: bool) -> Words:
    """Return the words of a claim in both languages."""
    return ORGANISATION_NAME if organisation and name == "name" else TITLES[name]


def _all(app: App, granted: Granted) -> list[Any]:
    stated = (_stated(app, granted, target) for target in TARGETS)
    return [one for one in stated if one is not None]


def _stated(app: App, granted: Granted, target: str) -> Any:
    """Return what the app asked for there; None where it asked for nothing, or is not registered for it."""
    return granted.claims.members.get(target, {}).get(VERIFIED) if SCOPE in app.scope else None
