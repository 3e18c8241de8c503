"""Codes by which a person signs one commitment at the counter (签署码).

He makes one where he reads the text, in a login as strong and as recent as signing there takes; a code that shows a
licence says nothing of a text and signs none. It is of one commitment, lives as long as a show code and works once. It
stands among the codes of look-ups under a hash of its own kind, so that no look-up finds it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import Problem
from idservice.ids import secret_hash
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.numbers.names import mask_name
from idservice.register import people
from licences import show
from licences.counter import commitments
from licences.counter.commitment_life import RULES, State, Step
from licences.counter.lookup_models import LookupAuthorisation
from licences.deeds import Deed

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.models import Commitment
    from seals.use import Place

MODE: Final = "sign"
_codes = table_of(LookupAuthorisation)


@dataclass(frozen=True, slots=True)
class Made:
    """A code as the person gets it, once."""

    code: str
    expires_at: datetime


def make(call: Call, commitment_id: str) -> Made:
    """Make a code for a commitment of the caller or of whom he acts for.

    Raises:
        Problem: not_found, step_not_open, level_too_low, insufficient_user_authentication.
        StepUpNeeded: on a page, where the login is not strong or recent enough.
    """
    found = commitments.find_own(call, commitment_id)
    step_up.demand(call, Act.SIGN_COMMITMENT)
    if State(found.state) not in RULES[Step.SIGN].sources:
        raise Problem("step_not_open", "This commitment is signed, or declined.")
    code = "".join(secrets.choice(show.ALPHABET) for _ in range(show.LENGTH))
    code_hash = _hash(code)
    row = {
        "code_hash": code_hash,
        "subject": found.subject,
        "mode": MODE,
        "matter": found.matter,
        "department": found.department,
        "created_at": call.now,
        "expires_at": call.now + timedelta(seconds=call.settings.show_code_seconds),
        "identifier": commitment_id,
        "asker_sealed": call.cipher.seal(json.dumps(login(call, found)).encode(), **_place(code_hash)),
    }
    call.session.execute(insert(LookupAuthorisation), row)
    audit.record(call, Deed.SHOWN, subject=found.subject, commitment=commitment_id)
    return Made(code, call.now + timedelta(seconds=call.settings.show_code_seconds))


def redeem(call: Call, text: str, found: Commitment) -> dict[str, Any] | None:
    """Use a code up for its commitment and return the login in which it was made; None, alike, for any other code."""
    code = show.find_code(text)
    code_hash = _hash(code or "")
    sealed = call.session.scalar(
        update(LookupAuthorisation)
        .where(
            _codes.c.code_hash == code_hash,
            _codes.c.mode == MODE,
            _codes.c.identifier == found.commitment_id,
            _codes.c.used_at.is_(None),
            _codes.c.expires_at > call.now,
        )
        .values(used_at=call.now)
        .returning(_codes.c.asker_sealed)
        .execution_options(synchronize_session=False)
    )
    if sealed is None:
        return None
    opened: dict[str, Any] = json.loads(call.cipher.open(sealed, **_place(code_hash)))
    return opened


def login(call: Call, found: Commitment) -> dict[str, Any]:
    """Return how the person who commits is logged in, and who acts for him where he does not himself."""
    caller = call.caller
    facts: dict[str, Any] = {"amr": list(caller.amr), "level": caller.level}
    if caller.auth_time is not None:
        facts["auth_time"] = int(caller.auth_time.timestamp())
    if caller.person is not None and caller.person != found.subject:
        person = people.facts(call, caller.person)
        facts["acting"] = mask_name(person.name) if person is not None else ""
    return facts


def _hash(code: str) -> bytes:
    return secret_hash(f"commitment|{code}")


def _place(code_hash: bytes) -> Place:
    return {"table": "lookup_authorisation", "column": "asker_sealed", "row": code_hash.hex()}
