"""What a PDF brings along for its own verification: the Document Security Store, ETSI EN 319 142-1 clause 5.4 (B-LT).

Certificates and revocation lists from it may complete a path; whether they are worth anything is judged by their
signatures like those from anywhere else. OCSP answers are not read.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import crl, x509
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.certificates import Certificate, CertificateError, RevocationList, parse
from keys.certificates.crl import parse_list
from seals.pdf import PdfError
from seals.pdf_read import guarded, open_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader

MAX_CERTIFICATES, MAX_LISTS = 32, 8
MAX_STREAM = 4 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Material:
    """Certificates and revocation lists out of a document."""

    certificates: tuple[Certificate, ...] = ()
    lists: tuple[RevocationList, ...] = ()


def add(data: bytes, material: Material) -> bytes:
    """Return a sealed PDF with material for its verification, as an incremental update. Raise PdfError."""
    with guarded():
        writer = IncrementalPdfFileWriter.from_reader(open_pdf(data))
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=[x509.Certificate.load(one.der) for one in dict.fromkeys(material.certificates)],
            crls=[crl.CertificateList.load(one.der) for one in material.lists],
        )
        buffer = io.BytesIO()
        writer.write(buffer)
    return buffer.getvalue()


def read(reader: PdfFileReader) -> Material:
    """Return the material of a document; what cannot be read is left out."""
    certificates: list[Certificate] = []
    lists: list[RevocationList] = []
    with suppress(PdfError), guarded():
        if "/DSS" not in reader.root:
            return Material()
        store = reader.root["/DSS"]
        for data in _streams(store, "/Certs", MAX_CERTIFICATES):
            with suppress(CertificateError):
                certificates.append(parse(data))
        for data in _streams(store, "/CRLs", MAX_LISTS):
            with suppress(CertificateError):
                lists.append(parse_list(data))
    return Material(tuple(certificates), tuple(lists))


def _streams(store: DictionaryObject, name: str, at_most: int) -> Iterator[bytes]:
    if name not in store:
        return
    for entry in list(store[name])[:at_most]:
        stream = entry.get_object()
        if isinstance(stream, StreamObject) and len(stream.encoded_data) <= MAX_STREAM:
            yield stream.data
