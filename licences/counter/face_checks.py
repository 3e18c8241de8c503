"""Identification at the counter by a checker of real persons (窗口人脸核验): the hook that login uses, as a ground.

The counter asks a question about the applicant (`begin`), its device takes the nonce to the checker, and the checker's
signed word comes back with the look-up. A question is good once, for ten minutes, at the unit that asked it; see
`idservice.login.proofing`. For a number nobody bears the question is about nobody, and never answered yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.errors import FieldProblem, Problem
from idservice.login import proofing
from licences.counter import applicant, clerk, matters
from licences.guard import touches
from licences.guard.admit import admit

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.asker import Asker

LOOKUP = "lookup"


def begin(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask about an applicant, and return what the counter's device carries to the checker.

    The checker compares a photograph of his, so this counts as a look at him.

    Raises:
        Problem: what `clerk.demand` and `admit` refuse; not_found, for the matter; invalid, for the number or the
            checker.
    """
    with touches.watched(call, body, body["subject"]["number"]):
        who = clerk.demand(call, body)
        matter = matters.find(call, body["matter"])
        whom = applicant.find(call, body["subject"]["number"])
    admit(call, who, matter=matter.code, subject=whom.subject if whom.known else None, number=whom.number)
    question = proofing.begin(call, whom.subject, body["checker"], purpose=LOOKUP, browser=_counter(who))
    if question is None:
        known = ", ".join(sorted(proofing.checkers(call.house))) or "none"
        raise Problem("invalid", "", errors=[FieldProblem("/checker", "choice", f"one of: {known}")])
    return {
        "nonce": question.nonce,
        "checker": question.checker.name,
        "url": question.checker.url,
        "expires_at": call.now + proofing.LIFE,
    }


def accept(call: Call, result: str, who: Asker) -> str | None:
    """Return the subject whom the checker saw, alive, and use its word up; None for every other word."""
    name = proofing.answer(call, result)
    row = proofing.claim(call, name, browser=_counter(who)) if name is not None else None
    return row.subject if row is not None and row.purpose == LOOKUP else None


def _counter(who: Asker) -> str:
    return f"counter:{who.department}"
