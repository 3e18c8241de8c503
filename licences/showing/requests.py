"""Requests that a counter shows and a citizen answers (反向扫码): who asks what, answered once, read once.

The answer is a show code made for the asking unit alone, which is redeemed as if it had been scanned: the same checks,
quota, report and access record. A question that is answered by yes or no hands over nothing else. A number that the
answer brings to both screens tells the clerk that it came from the person in front of him, not from one to whom the
request was forwarded.
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import secret_hash
from licences import asker, catalogue, identifier, show, verify
from licences.asker import Asker
from licences.counter import matters
from licences.deeds import Deed
from licences.lifecycle import State
from licences.predicates import AGE_OVER
from licences.showing.models import PresentationRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.verify import Report

LIFE: Final = timedelta(seconds=120)
LICENCES: Final = "licences"
VALID: Final = "valid"
#: To show licences; or to say by yes or no whether one is valid, or whether its holder has reached an age.
QUESTIONS: Final = (LICENCES, VALID, *AGE_OVER)
PATH: Final = "/me/requests/"

_TABLE: Final = "presentation_request"
_CODE: Final = re.compile(rf"[{show.ALPHABET}]{{{show.LENGTH}}}")
_ID: Final = re.compile(r"[0-9a-f]{64}")

expiry.sweep_also(PresentationRequest.code_hash, PresentationRequest.expires_at, expiry.A_DAY)
register(
    {
        "presentation_request_over": Kind(
            409, "这个请求已过期或已答复", "This request has expired or was answered before"
        ),
        "presentation_request_of_another": Kind(
            404,
            "这个请求不是由您发出的，请自己重新发起",
            "This request was made by somebody else: make one of your own",
        ),
        "presentation_request_unanswered": Kind(
            409, "持证人还没有答复，或答复已被读取", "The holder has not answered, or the answer was read before"
        ),
    }
)


class Outcome(StrEnum):
    """What became of a request."""

    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its maker gets it, once; `qr_text` is the address that the QR holds."""

    id: str
    code: str
    qr_text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What was read: a report, or to a question of yes or no the answer alone (None: it cannot be told)."""

    question: str
    check_number: str
    report: Report | None
    answer: bool | None
    reasons: list[str]


def ask(call: Call, body: dict[str, Any]) -> Asked:
    """Make a request in the name of whoever asks; it can be answered for two minutes.

    Raises:
        Problem: what `asker.of_call` refuses; not_found, for the matter or a type; invalid, where a question
            about a licence names no type.
    """
    who = asker.of_call(call, body)
    types = _types(call, body)
    code = "".join(secrets.choice(show.ALPHABET) for _ in range(show.LENGTH))
    code_hash = secret_hash(code)
    expires_at = call.now + LIFE
    call.session.execute(
        insert(PresentationRequest),
        {
            "code_hash": code_hash,
            "asked_by": call.caller.name_for_log,
            "asker_sealed": _seal(call, json.dumps(dataclasses.asdict(who)), "asker_sealed", code_hash),
            "question": body["question"],
            "types": types,
            "matter": body.get("matter"),
            "created_at": call.now,
            "expires_at": expires_at,
        },
    )
    facts: dict[str, Any] = {"question": body["question"], "matter": body.get("matter"), "operator": who.operator}
    audit.record(call, Deed.SHOWING_ASKED, department=who.department, **facts)
    return Asked(code_hash.hex(), code, f"{call.settings.issuer}{PATH}{code}", expires_at)


def find(call: Call, code: str) -> PresentationRequest:
    """Return the request of a code, for whoever is to answer it.

    Raises:
        Problem: presentation_request_over, alike for one that never was, is old, or was answered.
    """
    found = call.session.get(PresentationRequest, secret_hash(code)) if _CODE.fullmatch(code) else None
    if found is None or found.answered_at is not None or found.expires_at <= call.now:
        raise Problem("presentation_request_over", "Ask the counter for a new one.")
    return found


def asker_of(call: Call, request: PresentationRequest) -> Asker:
    """Return who asks."""
    return Asker(**json.loads(_open(call, request.asker_sealed, "asker_sealed", request.code_hash)))


def give(call: Call, code: str, *, licences: Sequence[str], fields: Sequence[str] | None) -> str:
    """Answer a request with some of the caller's own licences and return the number for both screens.

    Args:
        call: the call of the holder.
        code: the request's.
        licences: identifiers; one alone where the question is answered by yes or no.
        fields: what may be read in clear and nothing else; None: everything, masked. A question decides it itself.

    Raises:
        Problem: presentation_request_over; invalid; what `show.show` refuses.
    """
    request = find(call, code)
    if not licences or (request.question != LICENCES and len(set(licences)) > 1):
        raise Problem("invalid", "", errors=[FieldProblem("/licences", "choice", "choose one licence")])
    who = asker_of(call, request)
    wanted = fields if request.question == LICENCES else ["state" if request.question == VALID else request.question]
    chosen = {} if wanted is None else {"fields": list(wanted)}
    shown = show.show(call, {"licences": list(licences), "audience": who.department or who.client, **chosen})
    if request.types and not {identifier.type_code(one) for one in shown.licences} <= set(request.types):
        raise Problem("invalid", "", errors=[FieldProblem("/licences", "choice", "not of a type asked for")])
    number = f"{secrets.randbelow(10_000):04}"
    sealed = _seal(call, shown.code, "shown_sealed", request.code_hash)
    _close(call, request, Outcome.GIVEN, check_number=number, shown_sealed=sealed)
    return number


def refuse(call: Call, code: str) -> None:
    """Refuse a request: nothing is shown, and the counter learns no more than that.

    Raises:
        Problem: presentation_request_over.
    """
    _close(call, find(call, code), Outcome.REFUSED)


def own(call: Call, request_id: str) -> PresentationRequest:
    """Return a request of the caller's own asking.

    Raises:
        Problem: not_found or presentation_request_of_another.
    """
    found = call.session.get(PresentationRequest, bytes.fromhex(request_id)) if _ID.fullmatch(request_id) else None
    if found is None:
        raise Problem("not_found", "You have made no such request.")
    if found.asked_by != call.caller.name_for_log:
        raise Problem("presentation_request_of_another", "Who asked reads the answer, in the login he asked from.")
    return found


def state(call: Call, request: PresentationRequest) -> str:
    """Return waiting, given, refused, read or expired."""
    if request.read_at is not None:
        return "read"
    if request.outcome is not None:
        return request.outcome
    return "waiting" if request.expires_at > call.now else "expired"


def read(call: Call, request_id: str) -> Answered:
    """Read the answer, once: redeem what the holder showed and write it on his record.

    Raises:
        Problem: not_found; presentation_request_unanswered, also where it was read before; what `verify` refuses.
    """
    request = own(call, request_id)
    row = table_of(PresentationRequest).c
    taken = call.connection.execute(
        update(table_of(PresentationRequest))
        .where(row.code_hash == request.code_hash, row.outcome == Outcome.GIVEN, row.read_at.is_(None))
        .values(read_at=call.now, shown_sealed=None)
        .returning(row.check_number)
    ).one_or_none()
    if taken is None or request.shown_sealed is None:
        raise Problem("presentation_request_unanswered", f"The request is {state(call, request)}.")
    code = _open(call, request.shown_sealed, "shown_sealed", request.code_hash)
    who, yes_or_no = asker_of(call, request), request.question != LICENCES
    report = verify.verify_answer(call, code, who, matter=request.matter, yes_or_no=yes_or_no)
    call.session.expire(request)
    if request.question == LICENCES:
        return Answered(request.question, taken.check_number, report, None, report.reasons)
    return Answered(request.question, taken.check_number, None, _yes_or_no(request.question, report), report.reasons)


def _yes_or_no(question: str, report: Report) -> bool | None:
    """Return what a report answers; a licence that does not hold proves no age."""
    if not report.licences:
        return None
    if question == VALID:
        return report.ok and report.state == State.VALID
    found = report.licences[0]["fields"].get(question) if report.ok else None
    return found if isinstance(found, bool) else None


def _close(call: Call, request: PresentationRequest, outcome: Outcome, **more: Any) -> None:
    """Answer a request for good; of two answers at once one comes too late."""
    row = table_of(PresentationRequest).c
    done = call.connection.execute(
        update(table_of(PresentationRequest))
        .where(row.code_hash == request.code_hash, row.answered_at.is_(None), row.expires_at > call.now)
        .values(outcome=outcome, answered_at=call.now, subject=call.caller.holder, **more)
        .returning(row.code_hash)
    ).one_or_none()
    if done is None:
        raise Problem("presentation_request_over", "Ask the counter for a new one.")
    facts: dict[str, Any] = {"question": request.question, "answer": str(outcome)}
    audit.record(call, Deed.SHOWING_ANSWERED, subject=call.caller.holder, **facts)


def _types(call: Call, body: dict[str, Any]) -> list[str]:
    named = list(dict.fromkeys(body.get("types") or ()))
    for code in named:
        catalogue.find(call, code)
    if body.get("matter") is not None:
        named = named or sorted(matters.find(call, body["matter"]).types)
    if body["question"] == VALID and not named:
        raise Problem("invalid", "", errors=[FieldProblem("/types", "required", "name the type asked about")])
    return named


def _seal(call: Call, text: str, column: str, code_hash: bytes) -> bytes:
    return call.cipher.seal(text.encode(), table=_TABLE, column=column, row=code_hash.hex())


def _open(call: Call, blob: bytes, column: str, code_hash: bytes) -> str:
    return call.cipher.open(blob, table=_TABLE, column=column, row=code_hash.hex()).decode()
