"""The holder's pages for showing without a network: the page that works offline, its worker, and his devices.

`/me/offline` says nothing of anybody, so that a worker may keep it; what it shows lies on the device alone.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request

from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.language import TRANSLATIONS
from idservice.login import whereabouts
from licences import change, wallet
from licences.lifecycle import State
from licences.pages import shown
from licences.showing import device_codes
from licences.showing.schemas import DeviceBody, DeviceEnrolledSchema

if TYPE_CHECKING:
    from jinja2 import Environment

    from idservice.call import Call
    from licences.showing.device_codes import Enrolled

blueprint = Blueprint("device_pages", __name__, template_folder="../templates")

HOME: Final = "/me/offline/devices"
WORKER_PATH: Final = "/me/offline/worker.js"
CARDS: Final = 100
#: What the page needs, below `idservice/static`; the worker keeps exactly these.
ASSETS: Final = (
    "css/parts.css",
    "css/show.css",
    "css/theme.css",
    "icons/mark.svg",
    "js/offline/base64url.js",
    "js/offline/bytes.js",
    "js/offline/cbor.js",
    "js/offline/device_code.js",
    "js/offline/refused.js",
    "js/page.js",
    "js/showing/device.js",
    "js/showing/offline.js",
    "js/showing/symbol.js",
    "vendor/govuk-frontend/govuk-frontend.min.css",
    "vendor/govuk-frontend/govuk-frontend.min.js",
    "vendor/qrcode-generator/qrcode.js",
)
_WORKER: Final = "js/showing/worker.js"
_TEMPLATES: Final = ("me/offline.html", "base.html", "macros/parts.html")
_BODY, _ENROLLED = DeviceBody(), DeviceEnrolledSchema()


@page(blueprint, "/me/offline", who=Who.ANYONE)
def show_offline(_call: Call) -> str:
    """Show the page that makes codes on the device itself."""
    return render_template("me/offline.html", worker=WORKER_PATH)


@page(blueprint, WORKER_PATH, who=Who.ANYONE)
def worker(_call: Call) -> Response:
    """Hand out the worker that keeps that page; it is another one whenever something of the page is another."""
    folder = Path(current_app.static_folder or "")
    text = (folder / _WORKER).read_text("utf-8").replace("{edition}", _edition(current_app.jinja_env, folder))
    text = text.replace('"{assets}"', ", ".join(f'"/static/{name}"' for name in ASSETS))
    headers = {"Service-Worker-Allowed": "/me/offline", "Cache-Control": "no-cache"}
    return Response(text, mimetype="text/javascript", headers=headers)


@page(blueprint, HOME, who=Who.PERSON)
def devices(call: Call) -> str:
    """List the holder's devices, and offer to give this one licences."""
    held = [
        one for one in wallet.own(call, state=State.VALID, limit=CARDS)[:CARDS] if one.subject == call.caller.holder
    ]
    return render_template(
        "me/devices.html",
        devices=[_named(call, device) for device in device_codes.listed(call)],
        licences=[shown.card(call, one) for one in held],
    )


def _enrol(call: Call) -> Enrolled:
    form = request.form
    key = {"kty": "EC", "crv": "P-256", "x": form.get("x", ""), "y": form.get("y", "")}
    body = load(_BODY, {"public_key": key, "licences": form.getlist("licences")}, where="form")
    return device_codes.enrol(call, body, title=whereabouts.device(request.headers.get("User-Agent")))


@page(blueprint, HOME, who=Who.PERSON, methods=("POST",), prepare=_enrol, limit="60/hour")
def enrol(_call: Call, prepared: Enrolled) -> Response:
    """Give the device whose key was posted its licences, as JSON for the page's script."""
    return jsonify(_ENROLLED.dump(prepared))


@page(blueprint, f"{HOME}/end", who=Who.PERSON, methods=("POST",), write=True)
def end(call: Call) -> Response:
    """End one device."""
    device_codes.end(call, request.form.get("device", ""))
    return redirect(HOME, 303)  # type: ignore[return-value]


def _named(call: Call, device: dict[str, Any]) -> dict[str, Any]:
    """Return a device with the names of its licences."""
    cards = [shown.card(call, change.find(call, code)) for code in device["licences"]]
    return {**device, "licences": [card["type_name"] for card in cards]}


@lru_cache(maxsize=8)
def _edition(templates: Environment, folder: Path) -> str:
    """Return a name for the page and all that it needs, as they were when this process began."""
    digest = sha256()
    for template in _TEMPLATES:
        digest.update(templates.loader.get_source(templates, template)[0].encode() if templates.loader else b"")
    for path in [*(folder / name for name in (*ASSETS, _WORKER)), *sorted(TRANSLATIONS.rglob("*.mo"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
