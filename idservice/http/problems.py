"""The one translation from an exception to what a caller reads: a problem document, or a page for a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import structlog
from flask import Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from idservice.errors import Problem

if TYPE_CHECKING:
    from flask import Flask

log = structlog.get_logger(__name__)

_BY_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "media_type",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}


def install(app: Flask) -> None:
    """Answer every error of `app` in the one envelope."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_fault)


def language() -> str:
    """Return "en" where the caller asked for English, else "zh"."""
    chosen = request.args.get("lang") or request.cookies.get("ona_lang")
    if chosen in {"zh", "en"}:
        return str(chosen)
    return request.accept_languages.best_match(["zh", "zh-CN", "en"], default="zh")[:2]


def wants_page() -> bool:
    """Return whether the caller is a browser that would rather read a page than JSON."""
    if request.path.startswith(("/v1/", "/oauth/token", "/oauth/introspect", "/oauth/revoke")):
        return False
    best = request.accept_mimetypes.best_match(["application/problem+json", "application/json", "text/html"])
    return best == "text/html" and "text/html" in request.headers.get("Accept", "")


def answer(problem: Problem) -> Response:
    """Return `problem` as a problem document, or as the error page."""
    body = problem.body(language=language(), request_id=g.get("request_id", "-"))
    if wants_page():
        page = render_template(
            "error.html",
            status=problem.kind.status,
            title=body["title"],
            detail=problem.detail,
            code=problem.code,
            request_id=body["request_id"],
            back=None,
        )
        response = Response(page, problem.kind.status, mimetype="text/html")
    else:
        response = Response(
            json.dumps(body, ensure_ascii=False), problem.kind.status, mimetype="application/problem+json"
        )
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def _from_http(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    status = error.code or 500
    problem = Problem(_BY_STATUS.get(status, "bad_request" if status < 500 else "internal"))
    response = answer(problem)
    if error.code == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
    return response


def _from_fault(error: Exception) -> Response:
    log.error("request.fault", request_id=g.get("request_id", "-"), route=request.endpoint, exc_info=error)
    return answer(Problem("internal", "The fault has been recorded; quote the request_id when you report it."))
