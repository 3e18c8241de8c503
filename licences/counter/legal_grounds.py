"""Looking up by law (依法查询): the provisions a matter names, for the one unit that handles it.

Personal Information Protection Law articles 13 (3), 34 and 35: a state organ may look within its duty and the law's
limits, and tells the person. So the provision is named by the matter and not by the clerk, and the holder is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import Kind, Problem, register

if TYPE_CHECKING:
    from licences.asker import Asker
    from licences.counter.matter_definition import LegalGround, Matter

register(
    {
        "legal_basis_not_offered": Kind(
            403, "该事项没有列明这项法定依据，或您不是索要单位", "The matter names no such provision for your unit"
        )
    }
)


def demand(matter: Matter, who: Asker, code: str) -> LegalGround:
    """Return the provision of the matter with that code, for a clerk of the unit that handles the matter.

    Raises:
        Problem: legal_basis_not_offered.
    """
    found = next((ground for ground in matter.grounds if ground.code == code), None)
    if found is None or matter.unit_code is None or who.department != matter.unit_code:
        raise Problem("legal_basis_not_offered", "Ask the holder for a show code or a consent.")
    return found


def text(ground: LegalGround) -> str:
    """Return a provision as it is cited: law and article."""
    return f"{ground.law}{ground.article}"
