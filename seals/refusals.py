"""Which documents get no seal, and how they are refused (不予盖章的文件), whatever their format."""

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


def no_such_place(error: PositionError) -> Problem:
    """Return the refusal of a place that the document does not have."""
    fault = FieldProblem(f"/{error.field}", "out_of_range", str(error))
    return Problem("invalid", "The seal does not fit there.", errors=[fault])
