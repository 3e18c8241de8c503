"""A face only after a second factor (亮证前加强认证): who has a passkey proves himself before he shows who he is.

A telephone that lies open on a counter is enough to press a button, not to pass for its owner. A passkey asks for its
PIN or his face with one touch; of who has none nothing more is asked than his login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice.login import passkey, step_up
from idservice.login.levels import Act
from licences import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call

#: The types that bear a face and are accepted as proof of identity by themselves.
IDENTITY: Final = frozenset(
    {"resident_card", "residence_permit", "exit_entry_permit", "hong_kong_macao_permit", "taiwan_permit"}
)


def demand(call: Call, types: Iterable[str]) -> None:
    """Let the caller show licences of these types (codes) only if his login is strong and recent enough for them.

    Raises:
        StepUpNeeded, Problem: as `step_up.demand`.
    """
    person = call.caller.person
    if person is None or not any(catalogue.find(call, code).type.slug in IDENTITY for code in types):
        return
    if has_passkey(call, person):
        step_up.demand(call, Act.SHOW_IDENTITY)


def has_passkey(call: Call, person: str) -> bool:
    """Return whether a person (a subject) has a passkey that can be used here."""
    return passkey.is_offered(call.settings) and bool(passkey.of_person(call, person))
