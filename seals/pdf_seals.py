"""Find the seals of a PDF and what each vouches for: ISO 32000-2 clause 12.8.1 (ByteRange) and 12.8.2 (later changes).

This module finds and compares, it verifies no signature: see `seals.pdf_verify`. A seal covers the file from its first
byte up to the end of the revision it came with, but for one string of hexadecimal digits, its own value. Anything else
that a ByteRange leaves out would be a place to hide what was never sealed, and is refused. What came later is compared
with what was sealed, revision by revision, by pyHanko's rules: further seals and material for verifying them may be
added, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.generic import parse_pdf_date
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    XrefStreamRule,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from keys.certificates import der
from seals.pdf import PdfError
from seals.pdf_read import guarded, open_pdf

if TYPE_CHECKING:
    from datetime import datetime

    from pyhanko.pdf_utils.generic import DictionaryObject, IndirectObject
    from pyhanko.pdf_utils.reader import PdfFileReader

MAX_SEALS = 50
MAX_CONTAINER = 4 << 20  # bytes
_ALLOWED = [
    rule.as_qualified(ModificationLevel.LTA_UPDATES)
    for rule in (DocInfoRule(), XrefStreamRule(), ObjectStreamRule(), DSSCompareRule(), MetadataUpdateRule())
]
# As pyHanko's own policy, but no form field may be filled in once the document is sealed.
_POLICY = StandardDiffPolicy(
    global_rules=[CatalogModificationRule(), *_ALLOWED],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule()]),
)


@dataclass(frozen=True, slots=True)
class Later:
    """What came after a seal: whether the sealed document is `altered` by it, why, and the bytes it does not cover."""

    altered: bool
    detail: str
    not_covered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PdfSeal:
    """One seal of a PDF. `gap` are the positions of its value in the file, < and > included; `end` ends its range."""

    field: str
    subfilter: str
    gap: tuple[int, int]
    end: int
    value: bytes
    signed_at: datetime | None
    read: Embedded

    def covered(self, data: bytes) -> bytes:
        """Return the bytes of the file that the seal covers."""
        return data[: self.gap[0]] + data[self.gap[1] : self.end]

    def parts(self) -> tuple[str, str]:
        """Return the names of the covered parts of the file."""
        return f"bytes 0-{self.gap[0]}", f"bytes {self.gap[1]}-{self.end}"


class Embedded(EmbeddedPdfSignature):
    """What pyHanko's comparison of revisions needs of a signature, whatever is in it (its own class reads CMS only)."""

    def __init__(self, reader: PdfFileReader, field: DictionaryObject, name: str) -> None:
        self.reader, self.sig_field, self.fq_name = reader, field, name
        reference = field.raw_get("/V")
        self.sig_object = reference.get_object()
        self.byte_range = [int(number) for number in self.sig_object["/ByteRange"]]
        self.pkcs7_content = self.sig_object.raw_get("/Contents").original_bytes
        self.signed_revision = reader.xrefs.get_last_change(reference.reference)
        self.coverage = None
        self._docmdp = self._fieldmdp = None
        self._docmdp_queried = self._fieldmdp_queried = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A signature field whose value cannot be read."""

    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """The seals of a PDF in the order they were put on, and the fields that could not be read."""

    reader: PdfFileReader
    seals: tuple[PdfSeal, ...]
    broken: tuple[Broken, ...]
    loose: tuple[tuple[str, int], ...]  # fields one can see that bear no seal, and the revisions they came with


def find(data: bytes) -> Found:
    """Return the seals of a PDF. Raise PdfError where the file itself cannot be read."""
    reader = open_pdf(data)
    with guarded():
        fields = list(enumerate_sig_fields(reader))
    if len(fields) > 2 * MAX_SEALS:
        raise PdfError("too many signature fields")
    seals: list[PdfSeal] = []
    broken: list[Broken] = []
    loose: list[tuple[str, int]] = []
    for name, value, reference in fields:
        try:
            if value is None or _is_timestamp(reference.get_object()):
                if _is_visible(reference.get_object()):
                    loose.append((str(name), reader.xrefs.get_last_change(reference.reference)))
                continue
            seals.append(_read(data, reader, str(name), reference))
        except Exception as error:  # noqa: BLE001 (as in `guarded`)
            broken.append(Broken(str(name), str(error)[:300]))
    if len(seals) > MAX_SEALS:
        raise PdfError("too many seals")
    return Found(reader, tuple(sorted(seals, key=lambda seal: seal.end)), tuple(broken), tuple(loose))


def later(data: bytes, seal: PdfSeal, found: Found) -> Later | None:
    """Return what came after a seal, None where it covers the whole file."""
    if seal.end == len(data):
        return None
    rest = (f"bytes {seal.end}-{len(data)}",)
    try:
        with guarded():
            return Later(*_compare(data, seal, found), rest)
    except PdfError as error:
        return Later(True, str(error), rest)


def _compare(data: bytes, seal: PdfSeal, found: Found) -> tuple[bool, str]:
    read = seal.read
    level = read.evaluate_signature_coverage()
    read.coverage = level  # type: ignore[assignment]
    if level is not SignatureCoverageLevel.ENTIRE_REVISION:
        return True, "the seal does not cover the revision it came with"
    if read.reader.xrefs.total_revisions <= read.signed_revision + 1 or not data.rstrip(b"\r\n").endswith(b"%%EOF"):
        return True, "bytes that belong to no revision follow what was sealed"
    if names := [name for name, revision in found.loose if revision > read.signed_revision]:
        return True, f"a field that can be seen and bears no seal was added: {', '.join(names)}"
    result = read.evaluate_modifications(_POLICY)
    if isinstance(result, SuspiciousModification):
        return True, f"a later revision changes what was sealed: {result}"[:300]
    allowed = ModificationLevel.FORM_FILLING  # a further seal that can be seen counts as such
    if read.docmdp_level is not None:
        allowed = min(allowed, ModificationLevel(read.docmdp_level.value))
    if result.modification_level > allowed:
        return True, "the seal allows no changes, and a later revision makes some"
    return False, "sealed again, or given material for verification, since"


def _read(data: bytes, reader: PdfFileReader, name: str, reference: IndirectObject) -> PdfSeal:
    read = Embedded(reader, reference.get_object(), name)
    start, first, second, last = read.byte_range
    end = second + last
    if start != 0 or not 0 < first < second < end <= len(data):
        raise PdfError("a ByteRange that covers no whole revision")
    gap = data[first:second]
    digits = gap[1:-1]
    if gap[:1] != b"<" or gap[-1:] != b">" or digits not in {digits.upper(), digits.lower()}:
        raise PdfError("the ByteRange leaves out more than the value of the signature")
    try:
        value = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise PdfError("the ByteRange leaves out more than the value of the signature") from None
    if value != read.pkcs7_content or len(value) > MAX_CONTAINER or len(digits) != 2 * len(value):
        raise PdfError("the value of the signature is not where the ByteRange leaves it out")
    return PdfSeal(
        field=name,
        subfilter=str(read.sig_object["/SubFilter"]).lstrip("/"),
        gap=(first, second),
        end=end,
        value=_unpadded(value),
        signed_at=_time(read.sig_object),
        read=read,
    )


def _unpadded(value: bytes) -> bytes:
    """Return the one DER value that zeros fill up to the room that was left for it."""
    start, size = der.read_head(value[:8])
    if value[start + size :].strip(b"\0"):
        raise PdfError("bytes follow the value of the signature")
    return value[: start + size]


def _time(signature: DictionaryObject) -> datetime | None:
    if "/M" not in signature:
        return None
    moment = parse_pdf_date(signature["/M"])
    return moment if moment.tzinfo is not None else None


def _is_timestamp(field: DictionaryObject) -> bool:
    value = field["/V"]
    return "/Type" in value and value["/Type"] == "/DocTimeStamp"


def _is_visible(field: DictionaryObject) -> bool:
    widgets = [kid.get_object() for kid in field["/Kids"]] if "/Kids" in field else [field]
    for widget in widgets:
        if "/Rect" in widget:
            left, bottom, right, top = (float(number) for number in widget["/Rect"])
            if left != right and bottom != top:
                return True
    return False
