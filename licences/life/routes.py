"""Around the life of a licence: stops of issuing, deeds that take two people, objections."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences.issue import Intent
from licences.life import change_requests, objections, stop_issuing
from licences.life.models import ChangeRequest, IssuingStop
from licences.life.schemas import (
    ChangeDecisionBody,
    ChangeRequestBody,
    ChangeRequestSchema,
    ChangeRequestsSchema,
    IssuingLiftBody,
    IssuingStopBody,
    IssuingStopSchema,
    IssuingStopsSchema,
    LifeQuery,
    ObjectionAnswerBody,
    ObjectionBody,
    ObjectionSchema,
    ObjectionsSchema,
)

blueprint = Blueprint("life", __name__, url_prefix="/v1", description="The life of licences")
_CHANGE = "licences.change"


@endpoint(
    blueprint,
    "POST",
    "/issuing-stops",
    scope=_CHANGE,
    body=IssuingStopBody,
    answer=IssuingStopSchema,
    status=201,
    write=True,
)
def stop(call: Call, body: dict[str, Any]) -> IssuingStop:
    """Stop issuing for a department, one type or all; verification and everything issued before goes on."""
    return stop_issuing.stop(call, body)


@endpoint(blueprint, "GET", "/issuing-stops", scope=_CHANGE, query=LifeQuery, answer=IssuingStopsSchema)
def list_stops(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the stops of a department that hold now."""
    return {"items": stop_issuing.in_force(call, query["department"])}


@endpoint(
    blueprint,
    "POST",
    "/issuing-stops/<stop_id>/lifting",
    scope=_CHANGE,
    body=IssuingLiftBody,
    answer=IssuingStopSchema,
    status=201,
    write=True,
)
def lift(call: Call, stop_id: str, body: dict[str, Any]) -> IssuingStop:  # noqa: ARG001 - holds nothing
    """Let a department issue again."""
    return stop_issuing.lift(call, stop_id)


@endpoint(
    blueprint,
    "POST",
    "/change-requests",
    scope=_CHANGE,
    body=ChangeRequestBody,
    answer=ChangeRequestSchema,
    status=201,
    write=True,
)
def ask(call: Call, body: dict[str, Any]) -> ChangeRequest:
    """Ask for what takes two people: all that is done to a licence of a sensitive type, but to suspend or freeze it."""
    return change_requests.ask(call, body)


@endpoint(blueprint, "GET", "/change-requests", scope=_CHANGE, query=LifeQuery, answer=ChangeRequestsSchema)
def list_requests(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List what waits for a second person in a department."""
    return {"items": change_requests.waiting(call, query["department"])}


def intend_decision(call: Call, request_id: str, body: dict[str, Any]) -> Intent | None:
    """Record what is about to be signed, where the decision issues something."""
    return change_requests.intend(call, request_id, approve=body["decision"] == "approve")


@endpoint(
    blueprint,
    "POST",
    "/change-requests/<request_id>/decisions",
    scope=_CHANGE,
    body=ChangeDecisionBody,
    answer=ChangeRequestSchema,
    status=201,
    write=True,
    prepare=intend_decision,
)
def decide(call: Call, request_id: str, body: dict[str, Any], prepared: Intent | None) -> ChangeRequest:
    """Approve a request, and with that do what it asks for, or refuse it; never one's own."""
    return change_requests.decide(call, request_id, prepared, approve=body["decision"] == "approve")


@endpoint(
    blueprint,
    "POST",
    "/licences/<identifier>/objections",
    scope="licences.object",
    body=ObjectionBody,
    answer=ObjectionSchema,
    status=201,
    write=True,
)
def make_objection(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Object, as the holder, to what a licence says; the issuer answers within 15 working days."""
    return objections.shown(call, objections.make(call, identifier, body))


@endpoint(blueprint, "GET", "/objections", scope="licences.object", answer=ObjectionsSchema)
def own_objections(call: Call) -> dict[str, Any]:
    """List the holder's own objections with their answers, newest first."""
    return {"items": [objections.shown(call, row) for row in objections.of_holder(call)]}


@endpoint(blueprint, "GET", "/department-objections", scope=_CHANGE, query=LifeQuery, answer=ObjectionsSchema)
def department_objections(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List what waits for a department's answer, the most urgent first."""
    return {"items": [objections.shown(call, row) for row in objections.of_department(call, query["department"])]}


def intend_answer(call: Call, objection_id: str, body: dict[str, Any]) -> Intent | None:
    """Record what is about to be signed, where the answer corrects the licence."""
    return objections.intend(call, objection_id, body)


@endpoint(
    blueprint,
    "POST",
    "/objections/<objection_id>/answers",
    scope=_CHANGE,
    body=ObjectionAnswerBody,
    answer=ObjectionSchema,
    status=201,
    write=True,
    prepare=intend_answer,
)
def answer_objection(call: Call, objection_id: str, body: dict[str, Any], prepared: Intent | None) -> dict[str, Any]:
    """Uphold an objection with a corrected version of the licence, or refuse it with reasons."""
    return objections.shown(call, objections.answer(call, objection_id, body, prepared))
