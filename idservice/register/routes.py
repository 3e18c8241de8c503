"""Mandates over the API: those given and received, an offer, its acceptance, withdrawal and confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from idservice.errors import Problem
from idservice.http.endpoint import endpoint
from idservice.models import Mandate
from idservice.oauth import mandate_detail
from idservice.register import grants, grants_view
from idservice.register.grants_rules import Role, Wanted
from idservice.register.schemas import MandateBody, MandateChangeBody, MandateSchema, MandatesQuery, MandatesSchema

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.register.grants import Granting

blueprint = Blueprint("mandates", __name__, url_prefix="/v1", description="Who may act for whom")

SCOPE = "mandates.manage"


@endpoint(blueprint, "GET", "/mandates", scope=SCOPE, query=MandatesQuery, answer=MandatesSchema)
def list_mandates(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the mandates the person has received, or those given in the name of whom he acts for."""
    rows = grants.given(call, _granting(call)) if query["direction"] == "given" else _received(call)
    return {"items": [grants_view.seen(call, row) for row in rows], "next_cursor": None}


@endpoint(
    blueprint, "POST", "/mandates", scope=SCOPE, body=MandateBody, answer=MandateSchema, status=201, write=True,
    limit="30/minute",
)  # fmt: skip
def offer_mandate(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Offer a mandate to a named person; the answer is the same where nobody bears that number and name."""
    wanted = Wanted(
        number=body["person"]["number"],
        name=body["person"]["name"],
        role=Role(body["role"]),
        last_day=body["valid_until"],
        licence_types=tuple(body["licence_types"]),
        matters=tuple(body["matters"]),
    )
    by = _granting(call)
    mandate_id = grants.offer(call, by, wanted)
    return grants_view.seen(call, next(row for row in grants.given(call, by) if row.mandate_id == mandate_id))


@endpoint(
    blueprint,
    "POST",
    "/mandates/<identifier>/changes",
    scope=SCOPE,
    body=MandateChangeBody,
    answer=MandateSchema,
    status=201,
    write=True,
)
def change_mandate(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Accept or give up a mandate one holds; withdraw or confirm one that is given."""
    change = body["change"]
    if change in {"accept", "give_up"}:
        _refuse_agents(call)
        (grants.accept if change == "accept" else grants.give_up)(call, identifier)
        rows = grants.received(call)
    else:
        by = _granting(call)
        (grants.withdraw if change == "withdraw" else grants.confirm)(call, by, identifier)
        rows = grants.given(call, by)
    found = next(row for row in rows if row.mandate_id == identifier)
    call.session.refresh(found)
    return grants_view.seen(call, found)


def _granting(call: Call) -> Granting:
    if not mandate_detail.reaches(call.caller, None):
        raise Problem("authorization_details_exceeded", "This token acts for some matters alone; it grants nothing.")
    return grants.granting(call, call.caller.mandate if call.caller.principal is not None else None)


def _received(call: Call) -> list[Mandate]:
    _refuse_agents(call)
    return grants.received(call)


def _refuse_agents(call: Call) -> None:
    """Refuse a token by which somebody acts for another: what he holds besides is none of that app's business."""
    if call.caller.principal is not None or call.caller.person is None:
        raise Problem("forbidden", "Log in for yourself to see the mandates you hold.")
