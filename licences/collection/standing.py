"""Bring a licence to where its source says it stands (来源状态落地): each step a change like any other.

All go through `licences.change`, and so through the table of changes: nothing that has ended is opened again, and what
the table does not allow leaves the row `failed` with its code. What an officer here suspended, no source resumes.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.errors import Kind, Problem, register
from licences import artefacts, change
from licences.collection import states
from licences.lifecycle import Change, State
from licences.models import LicenceChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.models import Licence

register(
    {
        "holders_differ": Kind(
            409, "持证主体与已签发的不同", "Its holders are not those of the licence that was issued"
        ),
        "suspended_here": Kind(
            409, "暂扣由颁证机构作出，须由其解除", "The issuer suspended it here, and resumes it here"
        ),
    }
)

DATES: Final = ("valid_from", "valid_until", "issued_on")


def newest(call: Call, code: str) -> Licence:
    """Return the licence with that identifier, or the version that took its place since.

    Raises:
        Problem: not_found.
    """
    licence = change.find(call, code)
    while licence.state == State.REPLACED and licence.next_identifier is not None:
        licence = change.find(call, licence.next_identifier)
    return licence


def steps(call: Call, licence: Licence, said: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes that a later row of a licence stands for.

    Raises:
        Problem: holders_differ, where it is to hold with other holders.
    """
    standing = states.of(said)
    stated = artefacts.open_record(call, licence).metadata
    # What a field says that the row leaves out, the next version says too.
    differs = any(stated.surface.get(name) != value for name, value in body["fields"].items()) or any(
        getattr(stated, name) != body[name] for name in DATES if name in body
    )
    others = [holder.code for holder in stated.holders[1:]]
    if states.first_deed(standing) is None and others != said.get("co_holders", []):
        raise Problem("holders_differ", "Who else holds it is a new licence's to say.")
    return states.steps(State(licence.state), standing, differs=differs)


def carry_out(call: Call, code: str, deed: Change, said: Mapping[str, Any]) -> str:
    """Change a licence as its source says, and return its identifier.

    Raises:
        Problem: suspended_here, or as `licences.change.change`.
    """
    licence = change.find(call, code)
    if deed is Change.RESUME and licence.state == State.SUSPENDED and _suspended_since(call, licence) is None:
        raise Problem("suspended_here")
    body = {
        "change": deed,
        "reason": states.reason_of(said),
        "ground": said.get("state_ground"),
        "effective_on": date.fromisoformat(said["state_on"]) if "state_on" in said else None,
    }
    return str(change.change(call, code, body, None, approved=True)["licence"].identifier)


def _suspended_since(call: Call, licence: Licence) -> date | None:
    """Return since when a licence is suspended at its source; None where it was suspended here."""
    mine = (LicenceChange.subject == licence.subject, LicenceChange.identifier == licence.identifier)
    last = select(LicenceChange.effective_on).where(*mine, LicenceChange.state == State.SUSPENDED)
    return call.session.scalar(last.order_by(LicenceChange.change_id.desc()).limit(1))
