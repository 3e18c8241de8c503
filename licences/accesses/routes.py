"""The holder's record beyond its list: prove a look, question it, take the record away as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response
from flask_smorest import Blueprint

from idservice import accesses
from idservice.http.endpoint import endpoint
from licences.accesses import export, proofs, questions
from licences.accesses.schemas import (
    AccessProofSchema,
    AccessQuestionSchema,
    AccessQuestionsSchema,
    ExportQuery,
    QuestionBody,
)

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.accesses.models import AccessQuestion

blueprint = Blueprint("access_checks", __name__, url_prefix="/v1", description="Who looked at my data, and is it so")

SCOPE = "accesses.read"


@endpoint(blueprint, "GET", "/accesses/<identifier>/proof", scope=SCOPE, answer=AccessProofSchema)
def prove(call: Call, identifier: str) -> dict[str, Any]:
    """Prove that one look at the holder's data stands in the tamper-evident log."""
    return proofs.prove(call, identifier)


@endpoint(
    blueprint,
    "POST",
    "/accesses/<identifier>/questions",
    scope=SCOPE,
    body=QuestionBody,
    answer=AccessQuestionSchema,
    status=201,
    write=True,
    limit="60/minute",
)
def question(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Question one look; the audit administrator answers within ten working days."""
    return shown(call, questions.ask(call, identifier, body["text"]))


@endpoint(blueprint, "GET", "/accesses/<identifier>/questions", scope=SCOPE, answer=AccessQuestionsSchema)
def list_questions(call: Call, identifier: str) -> dict[str, Any]:
    """Return the question about one look, with its answer once there is one."""
    record = accesses.find(call, identifier)
    found = questions.about(call, [record.record_id]).values()
    return {"items": [shown(call, row) for row in found], "next_cursor": None}


@endpoint(blueprint, "GET", "/access-export", scope=SCOPE, query=ExportQuery, write=True, limit="60/minute")
def take_away(call: Call, query: dict[str, Any]) -> Response:
    """Take the record away as a file: JSON with proofs, or CSV."""
    form = query.pop("format")
    return file_of(call, form, **query)


def file_of(call: Call, form: str, **wanted: Any) -> Response:
    """Return the record as a file to keep."""
    if form == "csv":
        response = Response(
            "\ufeff" + export.as_csv(call, **wanted), content_type="text/csv; charset=utf-8; header=present"
        )
    else:
        response = Response(export.json_text(call, **wanted), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="accesses.{form}"'
    return response


def shown(call: Call, row: AccessQuestion) -> dict[str, Any]:
    """Return a question in the shape of `AccessQuestionSchema`."""
    return {
        "access": row.record_id,
        "text": questions.question_of(call, row),
        "asked_at": row.asked_at,
        "due": row.due,
        "overdue": questions.is_overdue(call, row),
        "verdict": row.verdict,
        "answer": questions.answer_of(call, row),
        "answered_at": row.answered_at,
    }
