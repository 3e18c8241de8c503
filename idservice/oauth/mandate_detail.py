"""The authorization details of type `mandate` (以委托行事): the app wants the person to act for one organisation.

The token is then about that organisation, and good for the matters named alone; the mandate itself limits it further.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from idservice.errors import Problem
from idservice.numbers import credit_code
from idservice.oauth import authorization_details
from idservice.oauth.detail_types import DetailType, Field, Shape, register
from idservice.register import grants_choices, mandates
from idservice.register.grants_choices import Limit

if TYPE_CHECKING:
    from idservice.call import Call, Caller
    from idservice.oauth.authorization_details import Detail
    from idservice.register.grants_choices import Names
    from idservice.register.mandates import LiveMandate

PRINCIPAL: Final = "principal"
MATTERS: Final = "matters"
TYPES: Final = "licence_types"


def is_code(text: str) -> bool:
    """Return whether a text is a credit code as it is stored: details are compared character by character."""
    return credit_code.is_valid(text) and credit_code.normalise(text) == text


def known_matters(call: Call) -> Names:
    """Return the matters there are."""
    return grants_choices.names(call, Limit.MATTERS)


def known_types(call: Call) -> Names:
    """Return the licence types there are."""
    return grants_choices.names(call, Limit.LICENCE_TYPES)


MANDATE: Final = register(
    DetailType(
        name="mandate",
        scope=None,
        title=("代表单位办事", "Act for an organisation"),
        explanation=("应用只能以该单位的名义行事", "The app acts in the name of this organisation alone"),
        own_fields={
            PRINCIPAL: Field(
                ("统一社会信用代码", "Unified social credit code"),
                Shape.TEXT,
                is_required=True,
                holds=is_code,
            ),
            MATTERS: Field(("限于事项", "For these matters"), among=known_matters),
            TYPES: Field(("限于证照", "For these licences"), among=known_types),
        },
        needs_person=True,
        is_single=True,
    )
)


def wanted(details: Iterable[Detail]) -> Detail | None:
    """Return the mandate that a request asks for."""
    return next(iter(authorization_details.of_type(details, MANDATE.name)), None)


def fitting(live: Sequence[LiveMandate], detail: Detail) -> list[LiveMandate]:
    """Return those mandates that are for the organisation and reach all that the detail names."""
    return [
        mandate
        for mandate in live
        if mandate.credit_code == detail[PRINCIPAL]
        and _reaches(mandate.matters, detail.get(MATTERS, ()))
        and _reaches(mandate.licence_types, detail.get(TYPES, ()))
    ]


def reaches(caller: Caller, matter: str | None) -> bool:
    """Return whether the caller's token is good for a matter, None for what is no matter of any list."""
    limits = [authorization_details.limit(caller, MANDATE.name, name) for name in (MATTERS, TYPES)]
    return all(limit is None for limit in limits) or matter in (limits[0] or ())


def demand_whole(call: Call) -> None:
    """Refuse who acts for another by a mandate, or with a token, that is limited to some licence types or matters.

    For what cannot be divided by them: the other's consents, and the record of who looked at his data.

    Raises:
        Problem: forbidden.
    """
    caller = call.caller
    if caller.principal is None or caller.person is None:
        return
    mandate = mandates.find_live(call, caller.person, caller.mandate or "")
    if mandate is None or mandate.is_limited or not reaches(caller, None):
        raise Problem("forbidden", "This takes a mandate, and a token, without limits to licence types or matters.")


def _reaches(limit: Sequence[str], named: Sequence[str]) -> bool:
    return not limit or set(named) <= set(limit)
