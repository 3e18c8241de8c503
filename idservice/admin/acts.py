"""The risky acts (高风险操作): who may ask for each, who may decide on it, what is checked, and what is then done.

One table, read from top to bottom. No act is done by whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idservice.admin import activation_acts, client_acts, factor_reset_acts, organisation_acts, person_acts
from idservice.admin.roles import Role

if TYPE_CHECKING:
    from idservice.call import Call

Facts = dict[str, Any]


class RiskyAct(StrEnum):
    """An act that needs a second person."""

    CLIENT_CREATE = "client.create"
    CLIENT_ROTATE = "client.rotate_secret"
    CLIENT_WIDEN = "client.widen_scope"
    CLIENT_CHANGE = "client.change"
    CLIENT_ENABLE = "client.enable"
    PERSON_DISABLE = "person.disable"
    PERSON_ENABLE = "person.enable"
    ORGANISATION_DISABLE = "organisation.disable"
    ORGANISATION_ENABLE = "organisation.enable"
    PERSON_CONFIRM = "person.confirm"
    MANDATE_REVOKE = "mandate.revoke"
    GUARDIAN_ENTER = "guardian.enter"
    FACTOR_ACTIVATE = "factor.activate"
    FACTOR_RESET = "factor.reset"
    ROLE_GIVE = "role.give"
    ROLE_TAKE = "role.take"


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` returns the facts to keep or raises a `Problem`; `do` carries the act out as it is approved."""

    asks: Role
    decides: frozenset[Role]
    check: Callable[[Call, Facts], Facts]
    do: Callable[[Call, Facts], None]


def _client(call: Call, facts: Facts) -> Facts:
    client_acts.find(call, facts["client_id"])
    return facts


_SECURITY = frozenset({Role.SECURITY})
_WITH_ROLES = frozenset({Role.SECURITY, Role.SYSTEM})

RULES: Final[Mapping[RiskyAct, Rule]] = {
    RiskyAct.CLIENT_CREATE: Rule(Role.SYSTEM, _SECURITY, client_acts.propose, client_acts.create),
    RiskyAct.CLIENT_ROTATE: Rule(Role.SYSTEM, _SECURITY, client_acts.propose_rotation, client_acts.rotate),
    RiskyAct.CLIENT_WIDEN: Rule(Role.SYSTEM, _SECURITY, client_acts.propose_scope, client_acts.widen),
    RiskyAct.CLIENT_CHANGE: Rule(Role.SYSTEM, _SECURITY, client_acts.propose_settings, client_acts.change_settings),
    RiskyAct.CLIENT_ENABLE: Rule(Role.SYSTEM, _SECURITY, _client, client_acts.enable),
    RiskyAct.PERSON_DISABLE: Rule(Role.SYSTEM, _SECURITY, person_acts.check_disabling, person_acts.disable),
    RiskyAct.PERSON_ENABLE: Rule(Role.SYSTEM, _SECURITY, person_acts.check_person, person_acts.enable),
    RiskyAct.ORGANISATION_DISABLE: Rule(Role.SYSTEM, _SECURITY, organisation_acts.check, organisation_acts.disable),
    RiskyAct.ORGANISATION_ENABLE: Rule(Role.SYSTEM, _SECURITY, organisation_acts.check, organisation_acts.enable),
    RiskyAct.PERSON_CONFIRM: Rule(Role.SYSTEM, _SECURITY, person_acts.check_confirmation, person_acts.confirm),
    RiskyAct.MANDATE_REVOKE: Rule(Role.SYSTEM, _SECURITY, person_acts.check_mandate, person_acts.revoke_mandate),
    RiskyAct.GUARDIAN_ENTER: Rule(Role.SYSTEM, _SECURITY, person_acts.propose_guardian, person_acts.enter_guardian),
    RiskyAct.FACTOR_ACTIVATE: Rule(Role.SYSTEM, _SECURITY, activation_acts.propose, activation_acts.make),
    RiskyAct.FACTOR_RESET: Rule(Role.SYSTEM, _SECURITY, factor_reset_acts.check, factor_reset_acts.reset),
    RiskyAct.ROLE_GIVE: Rule(Role.SECURITY, _WITH_ROLES, person_acts.check_role, person_acts.give_role),
    RiskyAct.ROLE_TAKE: Rule(Role.SECURITY, _WITH_ROLES, person_acts.check_role_held, person_acts.take_role),
}
