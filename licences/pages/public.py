"""The public page: anybody checks a licence by its identifier, its paper QR or a credential (公开核验)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, redirect, render_template, request

from idservice.http import headers
from idservice.http.endpoint import MAX_UPLOAD
from idservice.http.page import Who, page
from licences import judging, scan, show, verify
from licences.asker import ANYBODY
from licences.formats import device_code
from licences.formats.lc1_text import looks_like
from licences.judging import Foresight
from licences.pages import offline, shown, words
from licences.scan import Scan

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.verify import Report

blueprint = Blueprint("public_check", __name__, template_folder="../templates")

NOTHING = ("请输入内容或选择文件", "Type something or choose a file")
A_CODE = (
    "这是一次性出示码，只有办事窗口能核验；在这里核验会用掉它，所以没有核验。",
    "This is a one-time show code, for a counter alone: checking it here would use it up, so it was not checked.",
)


@blueprint.url_value_preprocessor
def allow_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a file's size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = MAX_UPLOAD


@page(blueprint, "/verify", who=Who.ANYONE)
def ask(call: Call) -> str:
    """Ask what is to be checked; a link may fill the identifier in, a script the code of a paper licence."""
    return _page(call, text=request.args.get("licence", "")[:192])


@page(blueprint, "/V", who=Who.ANYONE)
def open_paper(_call: Call) -> Response:
    """Lead the address on a paper licence to the check; what follows its `#` stays in the browser."""
    return redirect("/verify", 303)  # type: ignore[return-value]


def _judge(call: Call) -> Report | str:
    """Return the report, or the sentence that says why there is none."""
    scanned = scanned_in_form()
    if scanned is None:
        return words.word(NOTHING)
    if scanned.text is not None and _is_show_code(scanned.text):
        return words.word(A_CODE)
    return verify.verify(call, scanned, ANYBODY)


def foresee_file(call: Call) -> Foresight:
    """Return what was judged before all else: the file that was uploaded, which may be large."""
    scanned = scanned_in_form()
    return judging.foresee_scan(call, scanned) if scanned is not None and scanned.document is not None else Foresight()


@page(blueprint, "/verify", who=Who.ANYONE, methods=("POST",), prepare=_judge, foresee=foresee_file, limit="30/minute")
def answer(call: Call, prepared: Report | str) -> str:
    """Say what was found: the state, the issuer, a masked holder; no more, whatever was scanned."""
    if isinstance(prepared, str):
        return _page(call, error=prepared)
    return _page(call, result=shown.result(call, prepared))


def _is_show_code(text: str) -> bool:
    """Return whether a text is a code that works once: the holder's, or one that his device made."""
    if device_code.looks_like(text):
        return True
    return not looks_like(text) and show.find_code(text) is not None


def scanned_in_form() -> Scan | None:
    """Return what the posted form holds: an uploaded file, else the typed text, else None; it is read once."""
    found: Scan | None = g.get("scanned")
    if found is None:
        found = g.scanned = _read_form()
    return found


def _read_form() -> Scan | None:
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return scan.read(upload.read())
    text = request.form.get("text", "").strip()
    return Scan(text=text) if text else None


def _page(call: Call, *, result: dict[str, Any] | None = None, error: str | None = None, text: str = "") -> str:
    headers.allow_webassembly()
    return render_template("verify.html", pins=offline.pins(call), result=result, error=error, text=text)
