"""The one translation from an exception to what a caller reads: a problem document, or a page for a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import structlog
from flask import Response, g, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from idservice import db
from idservice.errors import Problem
from idservice.http.current import asked
from idservice.scim import errors as scim_errors

if TYPE_CHECKING:
    from flask import Flask, Request

log = structlog.get_logger(__name__)

RETRY_AFTER = "2"  # seconds: as long as a database server takes to start again, or its standby to take over
_LANGUAGE = "ona.language"  # asked at every turn, and found out once a request
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
    app.register_error_handler(SQLAlchemyError, _from_database)
    app.register_error_handler(Exception, _from_fault)


def language() -> str:
    """Return "en" where the caller asked for English, else "zh"."""
    request = asked()
    known: str | None = request.environ.get(_LANGUAGE)
    if known is None:
        known = request.environ[_LANGUAGE] = _language(request)
    return known


def _language(request: Request) -> str:
    chosen = request.args.get("lang") or request.cookies.get("ona_lang")
    if chosen in {"zh", "en"}:
        return str(chosen)
    if not request.environ.get("HTTP_ACCEPT_LANGUAGE"):
        return "zh"
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
    if scim_errors.is_below(request.path):
        told = scim_errors.body(problem, language=language())
        response = Response(json.dumps(told, ensure_ascii=False), problem.kind.status, mimetype=scim_errors.MEDIA_TYPE)
    elif wants_page():
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


def _from_database(error: SQLAlchemyError) -> Response:
    """Tell a caller when to come back; a programming error stays the fault that it is."""
    if isinstance(error, db.OutcomeUnknownError):
        advice = "The same request with the same Idempotency-Key is safe; without one, look first what was done."
        problem = Problem("outcome_unknown", advice, headers={"Retry-After": RETRY_AFTER})
    elif db.is_outage(error):
        advice = "Repeat the request when Retry-After has passed."
        problem = Problem("temporarily_unavailable", advice, headers={"Retry-After": RETRY_AFTER})
    else:
        return _from_fault(error)
    # Neither statement nor parameters: the cause lies outside, and they may hold personal data.
    cause = error.__cause__ if error.__cause__ is not None else error
    log.error("database.away", code=problem.code, request_id=g.get("request_id", "-"), cause=type(cause).__name__)
    return _oauth_form(problem) if request.path.startswith("/oauth/") and not wants_page() else answer(problem)


def _oauth_form(problem: Problem) -> Response:
    """Return what an OAuth client reads (RFC 6749 section 5.2): it looks for `error`, not for `code`."""
    body = {"error": "temporarily_unavailable", "error_description": f"{problem.kind.en}. {problem.detail}"}
    return Response(json.dumps(body), problem.kind.status, headers=problem.headers, mimetype="application/json")


def _from_fault(error: Exception) -> Response:
    log.error("request.fault", request_id=g.get("request_id", "-"), route=request.endpoint, exc_info=error)
    return answer(Problem("internal", "The fault has been recorded; quote the request_id when you report it."))
