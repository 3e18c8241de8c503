"""Use of licences by authorisation codes, under the paths that Guangdong's systems call (`license-app`).

`security/login` has no counterpart: an app gets its token at the token endpoint like every other, and `credential` of
`holder` and `entrust` is the access token that the holder's or the agent's own login gave the app.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from idservice.call import Call
from idservice.errors import Problem
from idservice.http import problems
from idservice.http.endpoint import encode, endpoint, json_response
from licences.counter.authorisation_codes import Mode
from licences.sharing import guangdong, statuses
from licences.sharing import guangdong_schemas as bodies

blueprint = Blueprint("license_app", __name__, url_prefix="/v1/license-app", description="Use licences by codes")
SCOPE, HOLDER_SCOPE = "licences.share", "consents.manage"
_ANSWER = bodies.LicenceReplySchema


@endpoint(blueprint, "GET", "/service_item/list", scope=SCOPE, query=bodies.ServiceItemQuery, answer=_ANSWER)
def list_service_items(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the matters that a unit handles, and which types of licence each needs."""
    return _reply(guangdong.service_items(call, query["org_code"]))


@endpoint(blueprint, "POST", "/license/auth", scope=SCOPE, body=bodies.LicenceDutyBody, answer=_ANSWER, write=True)
def authorise_by_duty(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Make codes for a clerk by his duty (依职能查验): fully named, for one matter and case, by a provision."""
    return _reply({"auth_codes": guangdong.authorise_by_duty(call, body)})


@endpoint(
    blueprint, "POST", "/license/holder", scope=HOLDER_SCOPE, body=bodies.LicenceHolderBody, answer=_ANSWER, write=True
)
def authorise_as_holder(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Make codes for the holder's own application (网上申办用证)."""
    return _reply({"auth_codes": guangdong.authorise_as_holder(call, body, Mode.HOLDER)})


@endpoint(
    blueprint,
    "POST",
    "/license/entrust",
    scope=HOLDER_SCOPE,
    body=bodies.LicenceEntrustBody,
    answer=_ANSWER,
    write=True,
)
def authorise_as_agent(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Make codes for whoever acts by a mandate (委托授权用证)."""
    return _reply({"auth_codes": guangdong.authorise_as_holder(call, body, Mode.ENTRUST)})


@endpoint(blueprint, "GET", "/license/get_license", scope=SCOPE, query=bodies.AuthCodeQuery, answer=_ANSWER, write=True)
def get_license(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the licence of a code, once."""
    return _reply(guangdong.read(call, query["auth_code"]))


@endpoint(blueprint, "GET", "/license/token", scope=SCOPE, query=bodies.AuthCodeQuery, answer=_ANSWER, write=True)
def view_token(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Return a link at which the annotated copy can be looked at, once within ten minutes."""
    return _reply(guangdong.view_token(call, query["auth_code"]))


@endpoint(blueprint, "GET", "/license/archive", scope=SCOPE, query=bodies.AuthCodeQuery, answer=_ANSWER, write=True)
def archive(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Return the annotated copy, once."""
    return _reply(guangdong.archive(call, query["auth_code"]))


@blueprint.errorhandler(Problem)  # type: ignore[untyped-decorator]
def refuse(problem: Problem) -> Response:
    """Answer a refusal of an operation in the reply's own form; what comes before it stays a problem document."""
    if statuses.of(problem) is None:
        return problems.answer(problem)
    title = problem.kind.en if problems.language() == "en" else problem.kind.zh
    found = {"code": problem.code, "message": title, "members": [fault.pointer for fault in problem.errors]}
    return json_response(encode(None, _reply(None, [found])), 200)


def _reply(data: Any, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "ack_code": "FAILURE" if errors else "SUCCESS",
        "errors": errors or [],
        "sign": None,
        "sign_method": None,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "correlation_id": None,
        "response_id": g.request_id,
        "data": data,
    }
