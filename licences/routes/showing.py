"""Show a licence, and verify what is shown."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from idservice.ids import secret_hash
from licences import asker, show, verify
from licences.detail_types import LICENCE_SHOW
from licences.scan import Scan
from licences.schemas import ReportSchema, ShowBody, ShownSchema, ShowStatusBody, ShowStatusSchema, VerificationBody

blueprint = Blueprint("showing", __name__, url_prefix="/v1", description="Show and verify licences")


@endpoint(
    blueprint,
    "POST",
    "/presentations",
    scope="licences.show",
    body=ShowBody,
    answer=ShownSchema,
    status=201,
    write=True,
    limit="60/minute",
    detail=LICENCE_SHOW.name,
)
def show_licences(call: Call, body: dict[str, Any]) -> show.Shown:
    """Make a show code for some of the holder's licences, or for those a matter needs: one use, at most a minute."""
    return show.show(call, body)


@endpoint(
    blueprint,
    "POST",
    "/presentations/status",
    scope="licences.show",
    body=ShowStatusBody,
    answer=ShowStatusSchema,
    detail=LICENCE_SHOW.name,
)
def show_status(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Say whether the holder's code was used, and by which unit."""
    shown = show.status(call, secret_hash(body["code"]))
    return {"expires_at": shown.expires_at, "used_at": shown.used_at, "shown_to": shown.used_by}


@endpoint(
    blueprint,
    "POST",
    "/verifications",
    scope="verifications.create",
    body=VerificationBody,
    answer=ReportSchema,
    write=True,
    upload=True,
)
def verify_scan(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Judge what was scanned: what is it, does it hold now, and why not. A show code is used up by this."""
    scan = body["file"] if "file" in body else Scan(text=body["text"])
    report = verify.verify(call, scan, asker.of_call(call, body))
    return {**report.as_json(), "at": call.now}
