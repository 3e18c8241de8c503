"""The pages of this room: check the seals on a file (验章), open to everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from idservice.errors import Problem
from idservice.http.endpoint import MAX_UPLOAD
from idservice.http.page import Who, page
from seals import draft_pages, own_pages, register_pages
from seals.verify import certificate_of_file, verify

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.report import SealReport

blueprint = Blueprint("seal_pages", __name__, template_folder="templates")
BLUEPRINTS = (blueprint, register_pages.blueprint, draft_pages.blueprint, own_pages.blueprint)


@blueprint.url_value_preprocessor
def allow_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a file's size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = MAX_UPLOAD


@page(blueprint, "/verify/seal", who=Who.ANYONE, methods=("GET", "POST"), limit="120/minute")
def verify_seal(call: Call) -> str:
    """Ask for a file and say whose seals are on it and whether they hold. Nothing is kept."""
    if request.method == "GET":
        return _show()
    name, data = _upload("file")
    if data is None:
        return _show(error=gettext("尚未选择文件"))
    handed_in = _upload("certificate")[1]
    certificate = certificate_of_file(handed_in) if handed_in else None
    return _show(verify(call, data, document=_upload("document")[1], certificate=certificate), filename=name)


def _upload(field: str) -> tuple[str, bytes | None]:
    """Return name and content of an uploaded file; None where the field was left empty.

    Raises:
        Problem: parameter_repeated.
    """
    found = request.files.getlist(field)
    if len(found) > 1:
        raise Problem("parameter_repeated", f"{field} is given more than once.")
    if not found or not found[0].filename:
        return "", None
    return found[0].filename[:200], found[0].read()


def _show(report: SealReport | None = None, *, filename: str = "", error: str | None = None) -> str:
    return render_template(
        "seals/verify.html",
        report=report,
        report_json=json.dumps(report.as_json(), ensure_ascii=False, indent=2) if report else None,
        filename=filename or None,
        error=error,
    )
