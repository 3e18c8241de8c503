"""The sharing interface (共享服务接口, GB/T 36906-2018) under the operation names that systems in use know.

One check of who calls stands in front, as everywhere: the access token in the Authorization header. `head.accessId` may
repeat its client and is refused where it names another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Call
from idservice.errors import FieldProblem, Problem
from idservice.http import problems
from idservice.http.endpoint import encode as encoded
from idservice.http.endpoint import endpoint, json_response
from licences.guard import touches
from licences.sharing import data, files, links, permissions, statuses
from licences.sharing import schemas as bodies
from licences.sharing.annotated import MEDIA_TYPES
from licences.sharing.data import Answer
from licences.sharing.models import SharingPermission
from licences.sharing.statuses import MESSAGES, Status

blueprint = Blueprint("sharing", __name__, url_prefix="/v1/sharing", description="Share licences with other systems")
SCOPE = "licences.share"


def _operation(name: str, body: type[Schema], verb: Callable[[Call, dict[str, Any]], Answer]) -> None:
    """Offer a verb as an operation of the interface; what it answers is never kept, whatever key the caller sends."""

    def operate(call: Call, body: dict[str, Any]) -> Response:
        claimed = body["head"].get("accessId")
        if claimed is not None and claimed != call.caller.client_id:
            touches.watch(call, {}, body["data"].get("holderCode"))
            fault = FieldProblem("/head/accessId", "choice", "not the client of the access token")
            raise Problem("invalid", "", errors=[fault])
        status, found = verb(call, body["data"])
        return json_response(encoded(None, _enveloped(status, found)), 200)

    operate.__name__, operate.__doc__ = name, (verb.__doc__ or "").partition("\n")[0]
    shape: dict[str, Any] = {"body": body, "answer": bodies.SharingAnswerSchema}
    endpoint(blueprint, "POST", f"/{name}", scope=SCOPE, **shape, write=True, kept=False)(operate)


_operation("queryCertInfoByHolderCode", bodies.SharingFindBody, data.find)
_operation("queryCertInfo", bodies.SharingReadBody, data.read)
_operation("queryCertInfoByQRcode", bodies.SharingCodeBody, data.read_code)
_operation("verifyCertInfo", bodies.SharingClaimBody, data.verify)
_operation("getCertRemarkInfo", bodies.SharingTypeBody, data.dictionary)
_operation("downloadFile", bodies.SharingFileBody, files.download)
_operation("downloadUrl", bodies.SharingFileBody, files.address)
_operation("verifyFile", bodies.SharingVerifyFileBody, files.verify)


@endpoint(blueprint, "GET", "/download", scope=None, query=bodies.SharingLinkQuery, write=True, limit="120/minute")
def download(call: Call, query: dict[str, Any]) -> Response:
    """Return the file of a link, once; whoever holds the link may fetch it."""
    if request.method == "HEAD":  # whoever only looks where a link leads does not use it up
        raise Problem("method_not_allowed")
    content, form = links.take(call, query["id"])
    response = Response(content, mimetype=MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="copy.{form}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(Problem)  # type: ignore[untyped-decorator]
def refuse(problem: Problem) -> Response:
    """Answer a refusal of an operation by its number; what has none, and a link, gets a problem document."""
    status = statuses.of(problem)
    if status is None or request.method == "GET":
        return problems.answer(problem)
    named = statuses.members(problem)
    return json_response(encoded(None, _enveloped(status, None, named)), 200)


def _enveloped(status: Status, found: dict[str, Any] | None, named: str = "") -> dict[str, Any]:
    message = MESSAGES[status][problems.language() == "en"]
    return {"head": {"status": int(status), "message": f"{message}: {named}" if named else message}, "data": found}


# --- who may -------------------------------------------------------------------------------------------------------

rights = Blueprint("sharing_permissions", __name__, url_prefix="/v1", description="Which app may read which type")


@endpoint(rights, "GET", "/sharing-permissions", scope="admin.manage", answer=bodies.SharingPermissionsSchema)
def list_permissions(call: Call) -> dict[str, Any]:
    """List which app may read which type of licence."""
    roles.demand(call, Role.SYSTEM, Role.SECURITY)
    return {"items": permissions.listed(call)}


@endpoint(
    rights,
    "POST",
    "/sharing-permissions",
    scope="admin.manage",
    body=bodies.SharingPermissionBody,
    answer=bodies.SharingPermissionSchema,
    status=201,
    write=True,
)
def ask_permission(call: Call, body: dict[str, Any]) -> SharingPermission:
    """Ask that an app may read a type; the security administrator agrees."""
    roles.demand(call, Role.SYSTEM)
    return permissions.ask(call, body)


@endpoint(
    rights,
    "POST",
    "/sharing-permissions/<client_id>/<code>/agreement",
    scope="admin.manage",
    body=bodies.SharingAgreementBody,
    answer=bodies.SharingPermissionSchema,
    status=201,
    write=True,
)
def agree_permission(call: Call, client_id: str, code: str, body: dict[str, Any]) -> SharingPermission:
    """Put a permission in force as it was seen, as the security administrator."""
    roles.demand(call, Role.SECURITY)
    return permissions.agree(call, client_id, code, asked_at=body["asked_at"])


@endpoint(rights, "DELETE", "/sharing-permissions/<client_id>/<code>", scope="admin.manage", status=204, write=True)
def revoke_permission(call: Call, client_id: str, code: str) -> Response:
    """Take a permission out, at once."""
    roles.demand(call, Role.SYSTEM, Role.SECURITY)
    permissions.revoke(call, client_id, code)
    return Response(status=204)
