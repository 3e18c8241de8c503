"""Show a licence, and verify what is shown."""

from __future__ import annotations

import base64
from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from idservice.ids import secret_hash
from licences import asker, judging, show, verify
from licences.detail_types import LICENCE_SHOW
from licences.scan import Scan
from licences.schemas import ReportSchema, ShowBody, ShownSchema, ShowStatusBody, ShowStatusSchema, VerificationBody
from licences.showing import printing, requests
from licences.showing.schemas import (
    PrintedSchema,
    PrintingBody,
    RequestAnswerSchema,
    RequestBody,
    RequestSchema,
    RequestStateSchema,
)

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


def _scan(body: dict[str, Any]) -> Scan:
    return body["file"] if "file" in body else Scan(text=body["text"])


@endpoint(
    blueprint,
    "POST",
    "/verifications",
    scope="verifications.create",
    body=VerificationBody,
    answer=ReportSchema,
    write=True,
    foresee=lambda call, body: judging.foresee_scan(call, _scan(body)),
    upload=True,
)
def verify_scan(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Judge what was scanned: what is it, does it hold now, and why not. A show code is used up by this."""
    report = verify.verify(call, _scan(body), asker.of_call(call, body))
    return {**report.as_json(), "at": call.now}


@endpoint(
    blueprint,
    "POST",
    "/presentation-requests",
    scope="verifications.create",
    body=RequestBody,
    answer=RequestSchema,
    status=201,
    write=True,
    limit="60/minute",
)
def ask_to_show(call: Call, body: dict[str, Any]) -> requests.Asked:
    """Make a request for a citizen to scan: it can be answered once, within two minutes."""
    return requests.ask(call, body)


@endpoint(
    blueprint, "GET", "/presentation-requests/<request_id>", scope="verifications.create", answer=RequestStateSchema
)
def request_state(call: Call, request_id: str) -> dict[str, Any]:
    """Say what became of a request: waiting, given, refused, read or expired."""
    found = requests.own(call, request_id)
    return {"id": request_id, "state": requests.state(call, found), "expires_at": found.expires_at}


@endpoint(
    blueprint,
    "POST",
    "/presentation-requests/<request_id>/verifications",
    scope="verifications.create",
    answer=RequestAnswerSchema,
    status=201,
    write=True,
)
def read_answer(call: Call, request_id: str) -> dict[str, Any]:
    """Read the holder's answer, once: the report of a scan, or yes or no. It is on his record then."""
    found = requests.read(call, request_id)
    answer: dict[str, Any] = {name: getattr(found, name) for name in ("question", "check_number", "answer", "reasons")}
    return answer if found.report is None else {**answer, "report": {**found.report.as_json(), "at": call.now}}


@endpoint(
    blueprint,
    "POST",
    "/printed-copies",
    scope="verifications.create",
    body=PrintingBody,
    answer=PrintedSchema,
    status=201,
    write=True,
    limit="60/minute",
)
def print_copy(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Use a show code up for a sealed copy of the one licence it shows whole, marked with what it is printed for."""
    copy = printing.print_copy(call, body["text"], asker.of_call(call, body))
    data = base64.b64encode(copy.content).decode()
    return {
        "name": copy.file_name,
        "media_type": copy.media_type,
        "data": data,
        "number": copy.note.number,
        "expires_at": copy.note.expires_at,
    }
