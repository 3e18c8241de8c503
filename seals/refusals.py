"""Documents that get no seal and seals put on none (不予盖章), whatever the format: how they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import FieldProblem, Kind, Problem, register
from keys.verdict import Reason, Result
from seals.verify import verify

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.position import PositionError

register(
    {
        "document_refused": Kind(422, "这份文件不能加盖印章", "This document cannot be sealed"),
        "document_locked": Kind(409, "文件已锁定，不能再加盖印章", "The document is locked against further seals"),
        "seal_impossible": Kind(422, "无法制作这枚印章", "Such a seal cannot be made"),
        "seal_not_in_force": Kind(409, "印章当前不可用", "The seal is not in force"),
    }
)


def refuse_broken(call: Call, document: bytes) -> None:
    """Refuse a document on which an earlier seal does not hold: a new seal would lend it credit.

    Raises:
        Problem: document_refused.
    """
    earlier = verify(call, document)
    if any(check.result is Result.FAIL for signature in earlier.signatures for check in signature.checks):
        raise Problem("document_refused", f"An earlier seal does not hold: {', '.join(earlier.reasons)}.")
    if earlier.problems not in ((), (Reason.NOT_SEALED,)):
        raise Problem("document_refused", f"It cannot be verified: {', '.join(earlier.reasons)}.")


def refused(error: Exception) -> Problem:
    """Return the refusal of a document that cannot be read or sealed."""
    return Problem("document_refused", f"{str(error)[:300]}.")


def impossible(error: Exception) -> Problem:
    """Return the refusal of a seal, or of a certificate for one, that cannot be made."""
    return Problem("seal_impossible", f"{str(error)[:300]}.")


def no_key() -> Problem:
    """Return the refusal of a seal whose key this house does not have, or not any more."""
    return Problem("seal_not_in_force", "The key of this seal is not at hand.")


def no_such_place(error: PositionError) -> Problem:
    """Return the refusal of a place that the document does not have."""
    fault = FieldProblem(f"/{error.field}", "out_of_range", str(error))
    return Problem("invalid", "The seal does not fit there.", errors=[fault])
