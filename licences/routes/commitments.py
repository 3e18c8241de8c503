"""Commitments in place of proofs: signed by the person, checked by the unit that was given them; his own checks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Response
from flask_smorest import Blueprint

from idservice.http.application import WholeResponse
from idservice.http.endpoint import endpoint
from licences.counter import assist_view, commitment_codes, commitment_signing, commitments
from licences.counter.commitment_life import State, Step
from licences.counter.commitment_schemas import (
    CommitmentCodeSchema,
    CommitmentFindingBody,
    CommitmentSchema,
    CommitmentSignatureBody,
    CommitmentsQuery,
    CommitmentsSchema,
    CounterCommitmentSignatureBody,
    MarkDecisionBody,
    MarkObjectionBody,
    OwnChecksSchema,
    UnitCommitmentsSchema,
)
from licences.counter.commitment_statement import TYPE
from licences.counter.schemas import PageQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from licences.counter.models import Commitment

SIGN, CHECK, LOOK_UP = "commitments.sign", "commitments.check", "lookups.create"
TO_DO = frozenset({State.SIGNED, State.OBJECTED})
_FINDINGS = {"kept": Step.FIND_KEPT, "false": Step.FIND_FALSE}

blueprint = Blueprint("commitments", __name__, url_prefix="/v1", description="Commitments in place of proofs")


@endpoint(blueprint, "GET", "/commitments/own", scope=SIGN, query=PageQuery, answer=CommitmentsSchema)
def list_own_commitments(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the holder's own commitments, newest first."""
    return _page(commitments.of_holder(call, **query), query["limit"], partial(commitments.shown, call))


@endpoint(blueprint, "GET", "/department-checks/own", scope=SIGN, query=PageQuery, answer=OwnChecksSchema)
def list_own_checks(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List what departments ask one another about the holder, newest first."""
    found, limit = assist_view.of_holder(call, **query), query["limit"]
    return {
        "items": [assist_view.shown(call, check) for check in found[:limit]],
        "next_cursor": found[limit - 1].check_id if len(found) > limit else None,
    }


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/signatures",
    scope=SIGN,
    body=CommitmentSignatureBody,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def sign_commitment(call: Call, commitment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Sign a commitment as the logged-in person; a recent login is needed."""
    return commitments.shown(call, commitment_signing.sign(call, commitment_id, language=body["language"]))


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/codes",
    scope=SIGN,
    answer=CommitmentCodeSchema,
    status=201,
    write=True,
)
def make_commitment_code(call: Call, commitment_id: str) -> commitment_codes.Made:
    """Make, as the logged-in person, the code by which this commitment is signed at the counter."""
    return commitment_codes.make(call, commitment_id)


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/counter-signatures",
    scope=LOOK_UP,
    body=CounterCommitmentSignatureBody,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def sign_commitment_at_counter(call: Call, commitment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Have the person at the counter sign by the code he made for it."""
    language = body["language"]
    return commitments.shown(call, commitment_signing.sign_at_counter(call, commitment_id, body, language=language))


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/refusals",
    scope=SIGN,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def decline_commitment(call: Call, commitment_id: str) -> dict[str, Any]:
    """Decline a commitment: the person brings the proof instead."""
    return commitments.shown(call, commitments.decline(call, commitment_id))


@endpoint(blueprint, "GET", "/commitments/<commitment_id>/statement", scope=SIGN)
def read_own_statement(call: Call, commitment_id: str) -> Response:
    """Return what the holder signed, as it was signed: a JWT of the type commitment+jwt."""
    signed = commitment_signing.statement(call, commitments.find_own(call, commitment_id))
    return WholeResponse(signed, headers={"Cache-Control": "no-store"}, content_type=f"application/{TYPE}")


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/objections",
    scope=SIGN,
    body=MarkObjectionBody,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def object_to_mark(call: Call, commitment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Object, as the holder, to a commitment being called false."""
    return commitments.shown(call, commitments.object_to(call, commitment_id, body["reason"]))


@endpoint(blueprint, "GET", "/commitments", scope=CHECK, query=CommitmentsQuery, answer=UnitCommitmentsSchema)
def list_commitments(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the commitments given to one's department, oldest first; who signed is read one by one."""
    states = TO_DO if query["state"] is None else frozenset({State(query["state"])})
    found = commitments.of_unit(call, states=states, limit=query["limit"], cursor=query["cursor"])
    return _page(found, query["limit"], partial(commitments.entry, call))


@endpoint(blueprint, "GET", "/commitments/<commitment_id>", scope=CHECK, answer=CommitmentSchema, write=True)
def read_commitment(call: Call, commitment_id: str) -> dict[str, Any]:
    """Read a commitment given to one's department; the person finds that on his record."""
    return commitments.read(call, commitments.find_of_unit(call, commitment_id))


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/findings",
    scope=CHECK,
    body=CommitmentFindingBody,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def find_commitment(call: Call, commitment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say whether a commitment was kept; a false one bars the person for the matter."""
    return commitments.shown(call, commitments.judge(call, commitment_id, _FINDINGS[body["finding"]], body["reason"]))


@endpoint(
    blueprint,
    "POST",
    "/commitments/<commitment_id>/decisions",
    scope=CHECK,
    body=MarkDecisionBody,
    answer=CommitmentSchema,
    status=201,
    write=True,
)
def decide_on_mark(call: Call, commitment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Uphold a mark against an objection, or clear it; not by whoever set it."""
    return commitments.shown(call, commitments.judge(call, commitment_id, Step(body["decision"]), body["reason"]))


def _page(found: list[Commitment], limit: int, told: Callable[[Commitment], dict[str, Any]]) -> dict[str, Any]:
    return {
        "items": [told(one) for one in found[:limit]],
        "next_cursor": found[limit - 1].commitment_id if len(found) > limit else None,
    }
