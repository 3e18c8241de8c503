"""A face only after its holder proved himself anew (亮证前先确认本人): by his passkey, or by his password.

A telephone that lies open on a counter is enough to press a button, not to pass for its owner. A passkey asks for its
PIN or his face with one touch; who has none says his password again where he said it a quarter of an hour ago.
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
    """Let the caller see or show licences of these types (codes) only if his login is strong and recent enough.

    On a page that is so of every type. A program shows in its user's name while he is not asked, and a wallet renews
    its copies by itself: what proves identity alone waits there for the passkey of whoever has one.

    Raises:
        StepUpNeeded, Problem: as `step_up.demand`.
    """
    person, is_page = call.caller.person, call.caller.channel == "page"
    if person is None or not (is_page or _prove_identity(call, types)):
        return
    if has_passkey(call, person):
        step_up.demand(call, Act.SHOW_BY_PASSKEY)
    elif is_page:
        step_up.demand(call, Act.SHOW_FACE)


def has_passkey(call: Call, person: str) -> bool:
    """Return whether a person (a subject) has a passkey that can be used here."""
    return passkey.is_offered(call.settings) and bool(passkey.of_person(call, person))


def _prove_identity(call: Call, types: Iterable[str]) -> bool:
    return any(catalogue.find(call, code).type.slug in IDENTITY for code in types)
