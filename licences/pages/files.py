"""The files of a licence on pages: what a holder and an officer of its department can download, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from idservice.errors import Problem
from idservice.http.page import Who, page
from licences import artefacts, catalogue, change, copy_forms, credentials, paper, portions, qr, read
from licences.copies import Form
from licences.lifecycle import State
from licences.pages import words

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.metadata import Metadata
    from licences.models import Licence

blueprint = Blueprint("licence_files", __name__)

_FILES: dict[str, tuple[words.Both, str]] = {
    "document.pdf": (("证照文件（PDF，已盖章）", "The document (PDF, sealed)"), "application/pdf"),
    "document.ofd": (("证照文件（OFD，已盖章）", "The document (OFD, sealed)"), "application/ofd"),
    "credential.sd-jwt": (("电子凭证（SD-JWT）", "Credential (SD-JWT)"), "application/dc+sd-jwt"),
    "credential.mdoc": (("移动证件凭证（mdoc）", "Credential (mdoc)"), "application/cbor"),
    "credential.jwt": (("可验证凭证（JWT-VC）", "Credential (JWT-VC)"), "application/vc+jwt"),
    "claim169.txt": (("身份二维码（Claim 169）", "Identity QR (Claim 169)"), "text/plain"),
    "record.json": (("盖章原文（JSON）", "The sealed record (JSON)"), "application/json"),
    "seal.dat": (("签发机关电子签章", "The issuer's electronic seal"), "application/octet-stream"),
    "seal-proof.json": (("原文与签章（单独可验）", "Record and seal, to be verified alone"), "application/json"),
    "qr.png": (("纸质核验二维码", "QR code for paper"), "image/png"),
}
_SEALS = {"seal.dat": portions.seal_signature, "seal-proof.json": portions.evidence}
_COPIES = frozenset(str(form) for form in copy_forms.MEDIA_TYPES)


def listed(call: Call, licence: Licence, folder: str) -> list[dict[str, str]]:
    """Return title and address of each file below `folder`; of a licence not in force those that are there already."""
    metadata = artefacts.open_record(call, licence).metadata
    return [
        {"title": words.word(title), "href": f"{folder}/{name}"}
        for name, (title, _media) in _FILES.items()
        if _is_there(licence, metadata, name)
    ]


def _is_there(licence: Licence, metadata: Metadata, name: str) -> bool:
    in_force = State(licence.state) is State.VALID
    if name in _COPIES:
        return in_force and copy_forms.fits(metadata, Form(name))
    if name == "credential.sd-jwt":
        return in_force or licence.credential_signature is not None
    return name != "seal.dat" or licence.portion_id is None


def answer(call: Call, licence: Licence, name: str) -> Response:
    """Return a file to be saved.

    Raises:
        Problem: not_found, or what `copy_forms.get` raises.
    """
    if name not in _FILES:
        raise Problem("not_found", "A licence has no such file.")
    response = Response(_content(call, licence, name), mimetype=_FILES[name][1])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page(blueprint, "/admin/licences/<identifier>/<name>", who=Who.OFFICER, write=True)
def download(call: Call, identifier: str, name: str) -> Response:
    """Hand an officer a file of a licence of his department; the holder sees that he took it."""
    found = change.find(call, identifier)
    if not catalogue.is_issuer(call, found.issuer_code):
        raise Problem("not_found", "Your department issued no such licence.")
    return answer(call, read.read(call, found.identifier, fields=[name]), name)


def _content(call: Call, found: Licence, name: str) -> str | bytes:
    if name in _COPIES:
        return copy_forms.get(call, found, Form(name)).content
    if name == "credential.sd-jwt":
        return credentials.get(call, found)
    if name == "record.json":
        return artefacts.open_record(call, found).content
    if name in _SEALS:
        record = artefacts.open_record(call, found)
        return _SEALS[name](call, found, record)
    return qr.png(paper.address(call, found))
