"""The holder's own pages: his licences, showing one, who looked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, render_template, request
from markupsafe import Markup

from idservice import accesses
from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.ids import secret_hash
from idservice.oauth import scopes, verified_claims
from idservice.register import mandates
from licences import artefacts, catalogue, change, paper, qr, show, wallet
from licences.asker import ANYBODY
from licences.counter import matters
from licences.lifecycle import State
from licences.pages import shown, words
from licences.schemas import ShowBody

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.models import Licence
    from licences.show import Shown

blueprint = Blueprint("wallet", __name__, template_folder="../templates")

CARDS = 100
LATEST = 5
PAGE = 50
_SHOW = ShowBody()
_CURSOR = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_ANYBODY: dict[str | None, words.Both] = {
    ANYBODY.who: ("公众", "The public"),
    ANYBODY.unit: ("公开核验", "Public check"),
}
_BY_ISSUER: words.Both = ("签发机关查阅", "Read by the issuer")


@page(blueprint, "/me", who=Who.PERSON)
def index(call: Call) -> str:
    """Show the holder's licences, who looked last, and for whom he may act."""
    held = [licence for licence in wallet.own(call, limit=CARDS) if licence.state != State.REPLACED]
    person = call.caller.person or ""
    roles = words.ROLES
    return render_template(
        "me/index.html",
        licences=[shown.card(call, licence) for licence in held[:CARDS]],
        accesses=_named(call, accesses.of_holder(call, limit=LATEST)["items"]),
        mandates=[
            {
                "id": m.mandate_id,
                "organisation": m.organisation,
                "role": words.word(roles.get(m.role, (m.role, m.role))),
            }
            for m in mandates.live(call, person)
        ],
    )


@page(blueprint, "/me/accesses", who=Who.PERSON)
def list_accesses(call: Call) -> str:
    """Show who looked at the holder's data."""
    cursor = request.args.get("cursor")
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise Problem("bad_request", "The cursor is not one of ours.")
    found = accesses.of_holder(call, limit=PAGE, cursor=cursor)
    return render_template("me/accesses.html", accesses=_named(call, found["items"]), next_cursor=found["next_cursor"])


@page(blueprint, "/me/licences/<identifier>", who=Who.PERSON)
def licence(call: Call, identifier: str) -> str:
    """Show one of the holder's licences, whole."""
    found = _own(call, identifier)
    files = [
        {"title": words.word(title), "href": f"/me/licences/{found.identifier}/{name}"}
        for name, (title, _media) in _FILES.items()
    ]
    return render_template("me/licence.html", licence=shown.whole(call, found), artefacts=files)


@page(blueprint, "/me/licences/<identifier>/<name>", who=Who.PERSON, write=True)
def download(call: Call, identifier: str, name: str) -> Response:
    """Hand the holder a file of his own licence."""
    found = _own(call, identifier)
    if name not in _FILES:
        raise Problem("not_found", "A licence has no such file.")
    response = Response(_file(call, found, name), mimetype=_FILES[name][1])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page(blueprint, "/me/show", who=Who.PERSON)
def choose(call: Call) -> str:
    """Ask which licences are to be shown."""
    return _choice(call, error=None)


def _make_code(call: Call) -> Shown | Response:
    wanted = request.form.getlist("licences")
    if not wanted:
        return Response(_choice(call, error=words.word(("请至少选择一份证照", "Choose at least one licence"))), 422)
    return show.show(call, load(_SHOW, {"licences": wanted}, where="form"))


def _choose_again(call: Call, problem: Problem) -> str:
    return _choice(call, error=words.problem_text(problem))


@page(blueprint, "/me/show", who=Who.PERSON, methods=("POST",), prepare=_make_code, again=_choose_again)
def show_code(call: Call, prepared: Shown) -> str:
    """Show the code that was just made, as QR and as text, with the seconds it has left."""
    listed = [change.find(call, identifier) for identifier in prepared.licences]
    return render_template(
        "me/show.html",
        code=prepared.code,
        code_groups=show.groups(prepared.code),
        qr_svg=Markup(qr.svg(prepared.qr_text)),  # noqa: S704 - drawn by us from letters and digits
        expires_at=prepared.expires_at,
        seconds=max(0, round((prepared.expires_at - call.now).total_seconds())),
        licences=[shown.card(call, found) for found in listed],
        shown_to=None,
        state_url=f"/me/show/status/{secret_hash(prepared.code).hex()}",
    )


@page(blueprint, "/me/show/status/<code_hash>", who=Who.PERSON)
def show_status(call: Call, code_hash: str) -> Response:
    """Say whether a shown code was used. By its hash: the code itself stands in no URL and no log."""
    if not _HASH.fullmatch(code_hash):
        raise Problem("not_found", "You have shown no such code.")
    found = show.status(call, bytes.fromhex(code_hash))
    seen = {"unit": found.used_by, "at": found.used_at.isoformat()} if found.used_at is not None else None
    return jsonify(shown_to=seen)


_FILES: dict[str, tuple[words.Both, str]] = {
    "credential.sd-jwt": (("电子凭证（SD-JWT）", "Credential (SD-JWT)"), "application/dc+sd-jwt"),
    "record.json": (("盖章原文（JSON）", "The sealed record (JSON)"), "application/json"),
    "seal.dat": (("签发机关电子签章", "The issuer's electronic seal"), "application/octet-stream"),
    "qr.png": (("纸质核验二维码", "QR code for paper"), "image/png"),
}


def _file(call: Call, found: Licence, name: str) -> str | bytes:
    if name == "credential.sd-jwt":
        return artefacts.credential(call, found)
    if name == "record.json":
        return artefacts.open_record(call, found).content
    if name == "seal.dat":
        return artefacts.seal_signature(call, found)
    return qr.png(paper.address(call, found))


def _own(call: Call, identifier: str) -> Licence:
    """Return a licence the visitor holds himself; his post in a department opens none here."""
    found = change.find(call, identifier)
    if found.subject != call.caller.holder:
        raise Problem("not_found", "You hold no such licence.")
    return found


def _choice(call: Call, *, error: str | None) -> str:
    held = wallet.own(call, state=State.VALID, limit=CARDS)[:CARDS]
    return render_template("me/show_choose.html", licences=[shown.card(call, found) for found in held], error=error)


def _named(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return access records with the names of matters and fields in the reader's language in place of their codes."""
    known = matters.entries(call)
    known_claims = scopes.CLAIM_TITLES | verified_claims.RECORDED
    claims = {name: words.word(both) for name, both in known_claims.items()}
    titles = claims | words.every_field_title(entry.type for entry in catalogue.entries(call).values())
    return [
        item
        | {name: words.word(_ANYBODY[item[name]]) for name in ("who", "unit") if item[name] in _ANYBODY}
        | {"matter": words.name_of(known[item["matter"]]) if item["matter"] in known else item["matter"]}
        | {"fields": [titles.get(name, name) for name in item["fields"]]}
        | ({"basis": words.word(_BY_ISSUER)} if item["basis"] == "issuer" else {})
        for item in items
    ]
