"""The pages for using a seal (用章): hand files in, see digest and first page, confirm, take the results."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, send_file
from flask_babel import gettext

from idservice.errors import KINDS, Problem
from idservice.http.endpoint import MAX_UPLOAD
from idservice.http.page import Who, page
from idservice.http.problems import language
from seals import custody, drafts, first_page, register
from seals.batch import Document, plain_name
from seals.ofd_parts import OfdError
from seals.pdf import PdfError
from seals.register_pages import is_mine
from seals.use_document import Form

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.drafts import Claimed, Draft

blueprint = Blueprint("seal_drafts", __name__, url_prefix="/seals", template_folder="templates")


@blueprint.url_value_preprocessor
def allow_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow files their size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = MAX_UPLOAD


@page(blueprint, "/<seal_id>/use", who=Who.PERSON)
def hand_in(call: Call, seal_id: str) -> str:
    """Ask for the files and what the seal is used for; the login that it takes is asked for first."""
    custody.demand_login(call, register.find(call, seal_id))
    return _form(call, seal_id, errors={})


def _hand_in_again(call: Call, problem: Problem, seal_id: str) -> str:
    words = problem.kind.en if language() == "en" else problem.kind.zh
    return _form(call, seal_id, errors={"files": f"{words} {problem.detail}".strip()})


@page(blueprint, "/<seal_id>/use", who=Who.PERSON, methods=("POST",), write=True, again=_hand_in_again)
def keep(call: Call, seal_id: str) -> Response | str:
    """Keep the files for confirmation."""
    purpose, on_behalf = (request.form.get(name, "").strip() for name in ("purpose", "on_behalf"))
    found = [file for file in request.files.getlist("files") if file.filename]
    errors = {} if found else {"files": gettext("请选择文件")}
    if not 1 <= len(purpose) <= 500:
        errors["purpose"] = gettext("请填写")
    if len(on_behalf) > 200:
        errors["on_behalf"] = gettext("太长")
    if errors:
        return _form(call, seal_id, errors=errors)
    documents = [Document(plain_name(file.filename), file.read(), purpose, on_behalf or None) for file in found]
    return _to_batch(drafts.keep(call, seal_id, documents))


@page(blueprint, "/drafts/<batch_id>", who=Who.PERSON)
def confirm(call: Call, batch_id: str) -> str:
    """Show what is to be sealed, and afterwards what was."""
    return _batch_page(call, batch_id)


def _claim(call: Call, batch_id: str) -> list[Claimed]:
    return drafts.claim(call, batch_id)


def _ask(call: Call, batch_id: str, prepared: list[Claimed]) -> list[Claimed]:  # noqa: ARG001 - of the address
    return drafts.ask(call, prepared)


def _claim_again(call: Call, problem: Problem, batch_id: str) -> str:
    return _batch_page(call, batch_id, error=problem.kind.en if language() == "en" else problem.kind.zh)


@page(
    blueprint,
    "/drafts/<batch_id>",
    who=Who.PERSON,
    methods=("POST",),
    write=True,
    prepare=_claim,
    ask=_ask,
    again=_claim_again,
)
def seal(call: Call, batch_id: str, prepared: list[Claimed]) -> Response:
    """Seal the next files of the batch, announced before."""
    drafts.seal(call, prepared)
    return _to_batch(batch_id)


@page(blueprint, "/drafts/<batch_id>/<draft_id>/first-page.png", who=Who.PERSON)
def picture(call: Call, batch_id: str, draft_id: str) -> Response:  # noqa: ARG001 - the address of the batch it is in
    """Draw the first page of a document that waits."""
    _draft, document, _result = drafts.content(call, draft_id)
    try:
        drawn = first_page.picture(document)
    except (OfdError, PdfError):
        raise Problem("not_found", "There is no picture of this document.") from None
    return Response(drawn, content_type="image/png")


@page(blueprint, "/drafts/<batch_id>/<draft_id>", who=Who.PERSON)
def result(call: Call, batch_id: str, draft_id: str) -> Response:  # noqa: ARG001 - the address of the batch it is in
    """Give out one result."""
    draft, _document, data = drafts.content(call, draft_id)
    if data is None:
        raise Problem("not_found", "This file is not sealed.")
    return _download(draft.result_name, data)


@page(blueprint, "/drafts/<batch_id>/all.zip", who=Who.PERSON)
def results(call: Call, batch_id: str) -> Response:
    """Give out every result of a batch in one ZIP."""
    packed, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, draft in enumerate(drafts.of_batch(call, batch_id), 1):
            data = drafts.content(call, draft.draft_id)[2]
            if data is not None:
                name = draft.result_name
                archive.writestr(f"{place}-{name}" if name in taken else name, data)
                taken.add(name)
    return _download(f"{batch_id}.zip", packed.getvalue())


def _form(call: Call, seal_id: str, *, errors: dict[str, str]) -> str:
    found = register.find(call, seal_id)
    return render_template(
        "seals/use.html",
        seal=register.shown(call, found),
        mine=is_mine(found),
        errors=errors,
        values=request.form.to_dict(),
        most=drafts.MOST_FILES,
    )


def _batch_page(call: Call, batch_id: str, *, error: str | None = None) -> str:
    found = drafts.of_batch(call, batch_id)
    used = register.find(call, found[0].seal_id)
    return render_template(
        "seals/confirm.html",
        batch_id=batch_id,
        drafts=[
            {"draft": draft, "first_page": _first_page(batch_id, draft), "failure": _told(draft.failure)}
            for draft in found
        ],
        seal=register.shown(call, used),
        mine=is_mine(used),
        waiting=sum(draft.state == "waiting" for draft in found),
        done=sum(draft.state == "done" for draft in found),
        error=error,
    )


def _first_page(batch_id: str, draft: Draft) -> str | None:
    """Return where the first page is drawn; of an OFD or PDF alone it can be."""
    if Document(draft.name, b"", "").form is Form.DETACHED:
        return None
    return f"/seals/drafts/{batch_id}/{draft.draft_id}/first-page.png"


def _told(code: str | None) -> str | None:
    """Return a refusal in the reader's words, its code behind."""
    kind = KINDS.get(code or "")
    return code if kind is None else f"{kind.en if language() == 'en' else kind.zh} {code}"


def _download(name: str, data: bytes) -> Response:
    """Return a file under its own name, Chinese ones too (RFC 6266); it is never shown in the page's place."""
    return send_file(io.BytesIO(data), "application/octet-stream", as_attachment=True, download_name=name)


def _to_batch(batch_id: str) -> Response:
    return redirect(f"/seals/drafts/{batch_id}", 303)  # type: ignore[return-value]
