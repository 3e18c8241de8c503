"""Department checks: asked by a counter, answered under seal by the unit that keeps the files."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from idservice import expiry
from idservice.http.endpoint import endpoint
from licences.counter import assist_escalation, assist_figures, assist_reply, assist_view, assists
from licences.counter.assist_life import OPEN, Side, State
from licences.counter.assist_schemas import (
    CheckAssignmentBody,
    CheckBody,
    CheckReasonBody,
    CheckReplyBody,
    CheckReplySchema,
    ChecksQuery,
    CounterFiguresQuery,
    CounterFiguresSchema,
    DepartmentCheckReadSchema,
    DepartmentCheckSchema,
    DepartmentChecksSchema,
    EscalatedChecksSchema,
)

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.assist_reply import Prepared
    from licences.counter.models import DepartmentReply

ASK, ANSWER = "checks.create", "checks.answer"
blueprint = Blueprint(
    "department_checks", __name__, url_prefix="/v1/department-checks", description="Questions to other departments"
)
expiry.run_also(assist_escalation.escalate)


@endpoint(blueprint, "POST", "", scope=ASK, body=CheckBody, answer=DepartmentCheckSchema, status=201, write=True)
def ask_department(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the issuing unit about a proof that a look-up of one's own department left open."""
    return assist_view.shown(call, assists.ask(call, body))


@endpoint(blueprint, "GET", "", scope=ANSWER, query=ChecksQuery, answer=DepartmentChecksSchema)
def list_checks(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the checks that one's department has to answer, those due first in front."""
    return _listed(call, Side.ISSUING, query)


@endpoint(blueprint, "GET", "/asked", scope=ASK, query=ChecksQuery, answer=DepartmentChecksSchema)
def list_asked_checks(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the checks that one's department has asked for, those due first in front."""
    return _listed(call, Side.ASKING, query)


@endpoint(blueprint, "GET", "/asked/<check_id>", scope=ASK, answer=DepartmentCheckReadSchema)
def read_asked_check(call: Call, check_id: str) -> dict[str, Any]:
    """Read a check that one's department has asked for."""
    return assist_view.masked(call, check_id, Side.ASKING)


@endpoint(blueprint, "GET", "/figures", scope=ASK, query=CounterFiguresQuery, answer=CounterFiguresSchema)
def read_figures(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Tell how many proofs of a month were met without paper, and how many checks came too late."""
    return assist_figures.figures(call, query["month"])


@endpoint(blueprint, "GET", "/escalated", scope="admin.manage", answer=EscalatedChecksSchema)
def list_escalated_checks(call: Call) -> dict[str, Any]:
    """List, for the system administrator, the checks that are long overdue and by whom."""
    return {"items": assist_escalation.escalated(call)}


@endpoint(blueprint, "GET", "/<check_id>", scope=ANSWER, answer=DepartmentCheckReadSchema, write=True)
def read_check(call: Call, check_id: str) -> dict[str, Any]:
    """Read a check that one's department has to answer; in full where it is assigned to the caller."""
    return assist_view.read(call, assists.find(call, check_id, side=Side.ISSUING))


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/assignments",
    scope=ANSWER,
    body=CheckAssignmentBody,
    answer=DepartmentCheckReadSchema,
    status=201,
    write=True,
)
def assign_check(call: Call, check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Take a check over, or give it to a colleague."""
    return assist_view.read(call, assists.assign(call, check_id, to=body["officer"]))


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/returns",
    scope=ANSWER,
    body=CheckReasonBody,
    answer=DepartmentCheckSchema,
    status=201,
    write=True,
)
def return_check(call: Call, check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a check to who asked, with the reason."""
    return assist_view.shown(call, assists.give_back(call, check_id, body["reason"]), Side.ISSUING)


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/replies",
    scope=ANSWER,
    body=CheckReplyBody,
    answer=CheckReplySchema,
    status=201,
    write=True,
    prepare=assist_reply.prepare,
    ask=assist_reply.wait,
)
def answer_check(call: Call, check_id: str, body: dict[str, Any], prepared: Prepared) -> dict[str, Any]:
    """Answer a check: yes, no or cannot tell, in a page under the department's seal."""
    row = assist_reply.answer(call, check_id, body, prepared)
    return _shown(row, *assist_reply.content(call, row))


@endpoint(blueprint, "GET", "/<check_id>/replies", scope=ASK, answer=CheckReplySchema, write=True)
def read_reply(call: Call, check_id: str) -> dict[str, Any]:
    """Read the newest reply; the person finds that on his record."""
    return _shown(*assist_reply.open_reply(call, check_id))


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/reminders",
    scope=ASK,
    body=CheckReasonBody,
    answer=DepartmentCheckSchema,
    status=201,
    write=True,
)
def remind_department(call: Call, check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Remind the unit, once a day at most."""
    return assist_view.shown(call, assists.remind(call, check_id, body["reason"]))


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/resubmissions",
    scope=ASK,
    body=CheckReasonBody,
    answer=DepartmentCheckSchema,
    status=201,
    write=True,
)
def resubmit_check(call: Call, check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a returned check once more, with what was wanting."""
    return assist_view.shown(call, assists.resend(call, check_id, body["reason"]))


@endpoint(
    blueprint,
    "POST",
    "/<check_id>/closures",
    scope=ASK,
    body=CheckReasonBody,
    answer=DepartmentCheckSchema,
    status=201,
    write=True,
)
def close_check(call: Call, check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Close a check: its answer was used, or it is not needed any more."""
    return assist_view.shown(call, assists.close(call, check_id, body["reason"]))


def _listed(call: Call, side: Side, query: dict[str, Any]) -> dict[str, Any]:
    states = OPEN if query["state"] is None else frozenset({State(query["state"])})
    asked = {name: query[name] for name in ("matter", "limit", "cursor")}
    found = assist_view.listed(call, side, states=states, **asked)
    seen, more = found[: query["limit"]], len(found) > query["limit"]
    return {
        "items": [assist_view.shown(call, check, side) for check in seen],
        "next_cursor": assist_view.cursor_of(seen[-1]) if more else None,
    }


def _shown(row: DepartmentReply, text: str, document: bytes) -> dict[str, Any]:
    return {
        "id": row.reply_id,
        "answer": row.answer,
        "text": text,
        "at": row.at,
        "seal": row.seal_id,
        "media_type": assist_reply.MEDIA_TYPE,
        "document": base64.b64encode(document).decode(),
    }
