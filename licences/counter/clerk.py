"""The clerk at the counter who asks, and the case he asks for: nobody looks without stating both (经办人、办件编号)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.errors import Kind, Problem, register
from licences import asker

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.asker import Asker

register(
    {
        "purpose_required": Kind(403, "缺少用途", "The purpose is missing"),
        "case_number_required": Kind(403, "缺少办件编号", "The case number is missing"),
    }
)


def demand(call: Call, body: dict[str, Any]) -> Asker:
    """Return the clerk who asks, of a unit.

    Raises:
        Problem: purpose_required, case_number_required, operator_required, operator_unknown (all 403).
    """
    for name in ("purpose", "case_number"):
        if not (body.get(name) or "").strip():
            raise Problem(f"{name}_required", "A look-up states its purpose and its case number.")
    who = asker.of_call(call, body)
    if who.operator is None or who.department is None:
        raise Problem("operator_required", "Name the clerk who asks, by id_number.")
    return who
