"""The artefacts of one licence, as files: rebuilt from its row, always the same bytes."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences import artefacts, paper, qr, read
from licences.schemas import PaperQuery

blueprint = Blueprint("artefacts", __name__, url_prefix="/v1/licences/<identifier>", description="Files of a licence")


@endpoint(blueprint, "GET", "/credential.sd-jwt", scope="licences.read", write=True)
def credential(call: Call, identifier: str) -> Response:
    """Return the SD-JWT VC (RFC 9901) with all its disclosures."""
    licence = read.read(call, identifier, fields=["credential"])
    return Response(artefacts.credential(call, licence), mimetype="application/dc+sd-jwt")


@endpoint(blueprint, "GET", "/record.json", scope="licences.read", write=True)
def record(call: Call, identifier: str) -> Response:
    """Return the canonical bytes (RFC 8785) that the department's seal was put on."""
    licence = read.read(call, identifier, fields=["record"])
    return Response(artefacts.open_record(call, licence).content, mimetype="application/json")


@endpoint(blueprint, "GET", "/seal.dat", scope="licences.read", write=True)
def seal(call: Call, identifier: str) -> Response:
    """Return the department's seal on the record: an SES_Signature (GB/T 38540)."""
    licence = read.read(call, identifier, fields=["seal"])
    return Response(artefacts.seal_signature(call, licence), mimetype="application/octet-stream")


@endpoint(blueprint, "GET", "/qr.svg", scope="licences.read", query=PaperQuery, write=True)
def qr_svg(call: Call, identifier: str, query: dict[str, Any]) -> Response:
    """Return the QR code for paper: the licence itself, signed, as an address or (`form=lc1`) in base45."""
    return Response(qr.svg(_paper_text(call, identifier, query["form"])), mimetype="image/svg+xml")


@endpoint(blueprint, "GET", "/qr.png", scope="licences.read", query=PaperQuery, write=True)
def qr_png(call: Call, identifier: str, query: dict[str, Any]) -> Response:
    """Return the QR code for paper as a picture."""
    return Response(qr.png(_paper_text(call, identifier, query["form"])), mimetype="image/png")


def _paper_text(call: Call, identifier: str, form: str) -> str:
    licence = read.read(call, identifier, fields=["paper_qr"])
    return paper.compact(call, licence) if form == "lc1" else paper.address(call, licence)
