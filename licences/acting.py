"""How far somebody who acts for another may go (代理权限): the licence types and matters that mandate and token name.

A mandate limited to matters alone reaches the types these matters need. What lies outside is, to him, as if it were
not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idservice.errors import Problem
from idservice.oauth.authorization_details import limit
from idservice.oauth.mandate_detail import MANDATE, MATTERS, TYPES
from idservice.register import grants_choices, mandates
from idservice.register.grants_choices import Limit
from licences import catalogue
from licences.counter import matters
from seals import standing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from idservice.call import Call


@dataclass(frozen=True, slots=True)
class Reach:
    """The types and matters within reach; None is all of them."""

    types: frozenset[str] | None = None
    matters: frozenset[str] | None = None

    def covers(self, type_code: str) -> bool:
        """Return whether a licence of that type is within reach."""
        return self.types is None or type_code in self.types


EVERYTHING = Reach()


def reach(call: Call) -> Reach:
    """Return how far the caller may go among the licences of the holder he acts for; for himself, everywhere."""
    caller = call.caller
    if caller.principal is None or caller.person is None:
        return EVERYTHING
    mandate = mandates.find_live(call, caller.person, caller.mandate or "")
    if mandate is None:
        return Reach(frozenset(), frozenset())
    by_mandate = _reach(call, mandate.licence_types, mandate.matters)
    by_token = _reach(call, limit(caller, MANDATE.name, TYPES) or (), limit(caller, MANDATE.name, MATTERS) or ())
    return Reach(_both(by_mandate.types, by_token.types), _both(by_mandate.matters, by_token.matters))


def _reach(call: Call, licence_types: Collection[str], named: Collection[str]) -> Reach:
    limits = frozenset(named) or None
    if licence_types:
        return Reach(frozenset(licence_types), limits)
    return Reach(_needed(call, limits), limits) if limits is not None else EVERYTHING


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return one if other is None else other if one is None else one & other


def demand_matter(call: Call, matter: str | None) -> None:
    """Refuse what is not for a matter within reach; of a mandate that names none, nothing is refused.

    Raises:
        Problem: forbidden.
    """
    within = reach(call)
    if within.matters is not None and matter not in within.matters:
        raise Problem("forbidden", "Your mandate is for other matters: name one of its own.")


def _needed(call: Call, named: frozenset[str]) -> frozenset[str]:
    known = matters.entries(call)
    return frozenset(type_code for code in named if code in known for type_code in known[code].types)


def _types(call: Call) -> Mapping[str, tuple[str, str]]:
    return {code: (entry.type.name, entry.type.name_en) for code, entry in catalogue.entries(call).items()}


def _matters(call: Call) -> Mapping[str, tuple[str, str]]:
    served = {code: (matter.name, matter.name_en) for code, matter in matters.entries(call).items()}
    return served | {standing.MATTER: standing.MATTER_NAMES}


grants_choices.register(Limit.LICENCE_TYPES, _types)
grants_choices.register(Limit.MATTERS, _matters)
