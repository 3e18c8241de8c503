"""Collection over the API: batches of rows, what became of them, figures of quality, questions to sources."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences.collection import approving, batches, quality, refusals
from licences.collection.schemas import (
    BatchBody,
    BatchSchema,
    CollectedListSchema,
    CollectedQuery,
    CollectionApprovalBody,
    CollectionApprovalSchema,
    CollectionApprovalsSchema,
    QualityFiguresSchema,
    SourceAnswerBody,
    SourceQuery,
    SourceQuestionBody,
    SourceQuestionSchema,
    SourceQuestionsSchema,
)

blueprint = Blueprint("collection", __name__, url_prefix="/v1", description="Collection of licences from elsewhere")
_COLLECT = "licences.collect"


@endpoint(
    blueprint, "POST", "/licence-batches", scope=_COLLECT, body=BatchBody, answer=BatchSchema, status=201, write=True
)
def bring_in(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Bring in up to 500 licences of one department; they are sealed afterwards, and each row has its own answer."""
    return batches.bring_in(call, body)


@endpoint(blueprint, "GET", "/collected-licences", scope=_COLLECT, query=CollectedQuery, answer=CollectedListSchema)
def list_collected(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List what a department sent: waiting, signed with its identifier, or failed with the reason."""
    return batches.listed(call, query)


@endpoint(
    blueprint,
    "GET",
    "/collection-approvals",
    scope="licences.change",
    query=SourceQuery,
    answer=CollectionApprovalsSchema,
)
def list_parked(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List how many collected rows of sensitive types wait for an officer of a department."""
    return {"items": approving.waiting(call, query["department"])}


@endpoint(
    blueprint,
    "POST",
    "/collection-approvals",
    scope="licences.change",
    body=CollectionApprovalBody,
    answer=CollectionApprovalSchema,
    status=201,
    write=True,
)
def approve_collected(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Approve, as an officer, collected rows of a sensitive type: they are sealed from now on."""
    return body | {"rows": approving.approve(call, body["department"], body["type"], body["until"])}


@endpoint(blueprint, "GET", "/collection-quality", scope=_COLLECT, query=SourceQuery, answer=QualityFiguresSchema)
def show_quality(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Tell, by type, how complete and how fresh the rows of a department are, and how many were refused, and why."""
    department = query["department"]
    return {"items": quality.figures(call, department), "refusals": refusals.listed(call, department)}


@endpoint(
    blueprint,
    "POST",
    "/source-questions",
    scope="verifications.create",
    body=SourceQuestionBody,
    answer=SourceQuestionSchema,
    status=201,
    write=True,
)
def ask_source(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the issuer of a licence whether what it says is right."""
    return quality.shown(call, quality.ask(call, body))


@endpoint(blueprint, "GET", "/source-questions", scope=_COLLECT, query=SourceQuery, answer=SourceQuestionsSchema)
def list_questions(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the questions a department has not answered yet."""
    return {"items": [quality.shown(call, row) for row in quality.open_questions(call, query["department"])]}


@endpoint(
    blueprint,
    "POST",
    "/source-questions/<question_id>/answers",
    scope=_COLLECT,
    body=SourceAnswerBody,
    answer=SourceQuestionSchema,
    status=201,
    write=True,
)
def answer_question(call: Call, question_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer a question: what was sent is right, or it is corrected."""
    return quality.shown(call, quality.answer(call, question_id, body["answer"]))
