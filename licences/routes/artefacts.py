"""The artefacts of one licence, as files: rebuilt from its row or stored as they were made, always the same bytes."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences import artefacts, copy_forms, credentials, paper, portions, qr, read
from licences.copies import Form
from licences.schemas import PaperQuery

blueprint = Blueprint("artefacts", __name__, url_prefix="/v1/licences/<identifier>", description="Files of a licence")


@endpoint(blueprint, "GET", "/credential.sd-jwt", scope="licences.read", write=True)
def credential(call: Call, identifier: str) -> Response:
    """Return the SD-JWT VC (RFC 9901) with all its disclosures; the first request may make it."""
    licence = read.read(call, identifier, fields=["credential"])
    return Response(credentials.get(call, licence), mimetype="application/dc+sd-jwt")


@endpoint(blueprint, "GET", "/record.json", scope="licences.read", write=True)
def record(call: Call, identifier: str) -> Response:
    """Return the canonical bytes (RFC 8785) that the department's seal was put on."""
    licence = read.read(call, identifier, fields=["record"])
    return Response(artefacts.open_record(call, licence).content, mimetype="application/json")


@endpoint(blueprint, "GET", "/seal.dat", scope="licences.read", write=True)
def seal(call: Call, identifier: str) -> Response:
    """Return the department's seal on the record: an SES_Signature (GB/T 38540); 404 if it was sealed in a portion."""
    licence = read.read(call, identifier, fields=["seal"])
    der = portions.seal_signature(call, licence, artefacts.open_record(call, licence))
    return Response(der, mimetype="application/octet-stream")


@endpoint(blueprint, "GET", "/seal-proof.json", scope="licences.read", write=True)
def seal_proof(call: Call, identifier: str) -> Response:
    """Return record, seal and, of a licence that was sealed in a portion, the path from the one to the other."""
    licence = read.read(call, identifier, fields=["record", "seal"])
    return Response(portions.evidence(call, licence, artefacts.open_record(call, licence)), mimetype="application/json")


@endpoint(blueprint, "GET", "/qr.svg", scope="licences.read", query=PaperQuery, write=True)
def qr_svg(call: Call, identifier: str, query: dict[str, Any]) -> Response:
    """Return the QR code for paper: the licence itself, signed, as an address or (`form=lc1`) in base45."""
    return Response(qr.svg(_paper_text(call, identifier, query)), mimetype="image/svg+xml")


@endpoint(blueprint, "GET", "/qr.png", scope="licences.read", query=PaperQuery, write=True)
def qr_png(call: Call, identifier: str, query: dict[str, Any]) -> Response:
    """Return the QR code for paper as a picture."""
    return Response(qr.png(_paper_text(call, identifier, query)), mimetype="image/png")


@endpoint(blueprint, "GET", "/document.pdf", scope="licences.read", write=True)
def document_pdf(call: Call, identifier: str) -> Response:
    """Return the face as PDF (PDF/A-2a) with the department's seal (PAdES): the stored copy."""
    return _copy(call, identifier, Form.PDF)


@endpoint(blueprint, "GET", "/document.ofd", scope="licences.read", write=True)
def document_ofd(call: Call, identifier: str) -> Response:
    """Return the face as OFD (GB/T 33190) with the department's seal (GB/T 38540): the stored copy."""
    return _copy(call, identifier, Form.OFD)


@endpoint(blueprint, "GET", "/credential.mdoc", scope="licences.read", write=True)
def credential_mdoc(call: Call, identifier: str) -> Response:
    """Return the stored mdoc (ISO/IEC 18013-5 IssuerSigned) in CBOR; no device key belongs to it."""
    return _copy(call, identifier, Form.MDOC)


@endpoint(blueprint, "GET", "/credential.jwt", scope="licences.read", write=True)
def credential_jwt(call: Call, identifier: str) -> Response:
    """Return the stored W3C Verifiable Credential 2.0, secured by JOSE (`vc+jwt`)."""
    return _copy(call, identifier, Form.JWT)


@endpoint(blueprint, "GET", "/claim169.txt", scope="licences.read", write=True)
def claim169(call: Call, identifier: str) -> Response:
    """Return the text of the identity QR code Claim 169; a licence of an organisation has none (404)."""
    return _copy(call, identifier, Form.CLAIM169)


def _copy(call: Call, identifier: str, form: Form) -> Response:
    """Return a stored copy, or 304 where the caller has it already; the look is on record either way."""
    licence = read.read(call, identifier, fields=[str(form)])
    copy = copy_forms.get(call, licence, form)
    response = Response(copy.content, mimetype=copy_forms.MEDIA_TYPES[form])
    response.set_etag(copy.digest.hex())
    return response.make_conditional(request)  # type: ignore[return-value]


def _paper_text(call: Call, identifier: str, query: dict[str, Any]) -> str:
    licence = read.read(call, identifier, fields=["paper_qr"])
    sm2 = query["signature"] == "sm2"
    return paper.compact(call, licence, sm2=sm2) if query["form"] == "lc1" else paper.address(call, licence, sm2=sm2)
