"""The claims parameter (按项索取信息): OpenID Connect Core 1.0 section 5.5.

An app names single claims, and where it wants them: in the ID token, at userinfo. A claim is released only where a
scope that the app is registered for would release it as well; what nobody here knows is left out in silence, as section
5.5.1 has it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idservice.oauth import claim_constraint, scopes, verified_request
from idservice.oauth.claim_constraint import ClaimsRefused, same
from keys.strict_json import StrictJSONError, strict_json

USERINFO: Final = "userinfo"
ID_TOKEN: Final = "id_token"
TARGETS: Final = (USERINFO, ID_TOKEN)
VERIFIED: Final = "verified_claims"  # has a language of its own (OpenID Connect for Identity Assurance 1.0)
MAX_BYTES: Final = 8192
MAX_CLAIMS: Final = 64
MAX_DEPTH: Final = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """How one claim is wanted. Without `values`, any will do."""

    is_essential: bool = False
    values: tuple[Any, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Return whether that value is one that was asked for; true, 1 and 1.0 are three values."""
        return not self.values or any(same(wanted, value) for wanted in self.values)


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What an app asks for, as it was sent: `members` has `userinfo` and `id_token`, or nothing."""

    members: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def wanted(self, target: str, name: str) -> Wanted | None:
        """Return how a claim is wanted there; None where it is not."""
        claims = self.members.get(target, {})
        return _wanted(claims[name]) if name in claims else None

    def released(self, target: str, allowed: Collection[str], *, organisation: bool) -> dict[str, Wanted]:
        """Return the claims to release there to an app whose scopes are `allowed`, each with how it is wanted."""
        if target not in self.members:
            return {}
        possible = scopes.claims_of(frozenset(allowed), organisation=organisation)
        found = ((name, self.wanted(target, name)) for name in possible)
        return {name: wanted for name, wanted in found if wanted is not None}

    def anywhere(self, allowed: Collection[str], *, organisation: bool) -> dict[str, Wanted]:
        """Return the claims to release at all, each once, essential where it is so in one place."""
        found: dict[str, Wanted] = {}
        for target in TARGETS:
            for name, wanted in self.released(target, allowed, organisation=organisation).items():
                if name not in found or wanted.is_essential:
                    found[name] = wanted
        return found

    @property
    def acr(self) -> Wanted | None:
        """Return which class of login is wanted (section 5.5.1.1)."""
        return self.wanted(ID_TOKEN, "acr")

    @property
    def subjects(self) -> tuple[Any, ...]:
        """Return the subjects of whom alone the answer may be, one for each place that names some."""
        named = (self.wanted(target, "sub") for target in TARGETS)
        return tuple(wanted for wanted in named if wanted is not None and wanted.values)


NOTHING: Final = ClaimsRequest()


def read(text: str) -> ClaimsRequest:
    """Return the request that the parameter states.

    Raises:
        ClaimsRefused: it is not JSON, too large, or a member has not the form of section 5.5.1.
    """
    try:
        members = strict_json(text.encode(), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH, max_keys=MAX_CLAIMS)
    except StrictJSONError as error:
        raise ClaimsRefused(f"claims is refused: {error.code}.") from None
    if not isinstance(members, dict):
        raise ClaimsRefused("claims is a JSON object.")
    found = {target: members[target] for target in TARGETS if members.get(target) is not None}
    for target, claims in found.items():
        if not isinstance(claims, dict):
            raise ClaimsRefused(f"{target} is an object of claims.")
        for name, stated in claims.items():
            if name == VERIFIED:
                verified_request.check(stated)
            else:
                claim_constraint.check(stated, name[:40] if name.isprintable() else "?")
    return ClaimsRequest(found)


def _wanted(stated: Mapping[str, Any] | None) -> Wanted:
    if stated is None:
        return Wanted()
    values = (stated["value"],) if "value" in stated else tuple(stated.get("values", ()))
    return Wanted(stated.get("essential", False), values)
