"""Codes by which staff add their first second factor (激活码): one administrator asks, another agrees.

The code is told once, to whoever asks, who hands it over in person; its hash alone is kept, and it works from the
moment the other one has agreed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.errors import Problem
from idservice.login import activation, second_factor
from idservice.models import Person

if TYPE_CHECKING:
    from idservice.call import Call


def propose(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a new code: what is told, and its hash as the secret to be kept.

    Raises:
        Problem: see `_check`.
    """
    _check(call, facts["subject"])
    code = activation.new_code()
    return {"subject": facts["subject"], "secret": activation.hash_of(code).hex(), "told": code}


def make(call: Call, facts: dict[str, Any]) -> None:
    """Let the code hold.

    Raises:
        Problem: see `_check`.
    """
    _check(call, facts["subject"])
    activation.enter(call, facts["subject"], bytes.fromhex(facts["secret"]))


def check_staff(call: Call, subject: str) -> None:
    """Refuse what is done about the second factors of staff to anybody else, and to oneself.

    Raises:
        Problem: not_found; forbidden, for oneself; conflict, for whoever is no staff, or is stopped.
    """
    person = call.session.get(Person, subject)
    if person is None:
        raise Problem("not_found", "There is no such person.")
    if subject == call.caller.person:
        raise Problem("forbidden", "Nobody does this for himself.")
    if person.status != "active" or not activation.is_staff(call, subject):
        raise Problem("conflict", "This is only for an active account with a post or a role: give it one first.")


def _check(call: Call, subject: str) -> None:
    """Refuse a code for whoever has no use for one.

    Raises:
        Problem: as `check_staff`; conflict, for whoever has a factor.
    """
    check_staff(call, subject)
    if second_factor.ways_of(call, subject):
        raise Problem("conflict", "This account has a second factor, and adds others by it.")
