"""Read the seals of an OFD document (版式文档): GB/T 33190-2016 clause 18 (digital signatures).

OFD.xml names Signatures.xml, that names one Signature.xml for each seal, and that lists the protected files with their
digests, the seal (Seal.esl) and the signature value (SignedValue.dat). This module finds and digests; it judges
nothing and verifies no signature: see `seals.check`.

Real files differ from the standard's examples: element order, the case of paths, no Seal.esl, no Type on a signature,
the digest named by word or by OID. Whatever is ambiguous, such as two lists of references, is refused.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from keys.sm2 import sm3
from seals.container import MAX_ENTRIES, Archive, ContainerError
from seals.ofd_parts import (
    MAX_DESCRIPTION,
    NAMESPACE,
    ROOT,
    OfdError,
    child,
    locate,
    optional_text,
    read,
    read_xml,
    resolve,
    text,
)
from seals.structure import MAX_SEAL, MAX_SIGNATURE

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_SIGNATURES = 50
SEAL = "Seal"
_REFERENCE = f"{NAMESPACE}Reference"
_SM3_NAMES = frozenset({"SM3", "1.2.156.10197.1.401"})


class UnsupportedError(OfdError):
    """A signature of a kind that is known of, but not read here: no seal, or digests other than SM3."""


class Reference(NamedTuple):
    """One protected file: the name it is stored under (or would be), and the SM3 value it was signed with."""

    name: str
    digest: bytes


class OfdSignature(NamedTuple):
    """One seal on the document (签章): names are those inside the archive, without a leading slash."""

    name: str
    description: bytes  # Signature.xml, whose SM3 is what the seal signature covers
    references: tuple[Reference, ...]
    value_name: str
    value: bytes
    seal_name: str | None
    seal: bytes | None

    def artefacts(self) -> frozenset[str]:
        """Return the names of the files that make up the signature itself."""
        return frozenset(name for name in (self.name, self.value_name, self.seal_name) if name is not None)

    def covered(self) -> frozenset[str]:
        """Return the names of the files this signature vouches for, itself among them."""
        return self.artefacts() | {reference.name for reference in self.references}


@dataclass(frozen=True, slots=True)
class Index:
    """What OFD.xml and Signatures.xml say: the lists themselves, and the path of every Signature.xml in file order."""

    lists: frozenset[str]
    signatures: tuple[SignatureEntry, ...]


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One line of Signatures.xml: kind `Seal` or `Sign`, and where its Signature.xml is stored."""

    kind: str
    name: str


def is_ofd(archive: Archive) -> bool:
    """Return whether an archive has the entry file of an OFD."""
    return archive.find(ROOT) is not None


def read_index(archive: Archive) -> Index:
    """Return the signatures an OFD lists, perhaps none. Raise OfdError where a list is missing or broken."""
    root_name = archive.find(ROOT)
    if root_name is None:
        raise OfdError("no OFD.xml")
    root = read_xml(archive, root_name, "OFD")
    lists = [
        locate(archive, pointer, root_name)
        for body in root.findall(f"{NAMESPACE}DocBody")
        if (pointer := optional_text(body, "Signatures")) is not None
    ]
    if len(lists) > MAX_SIGNATURES:
        raise OfdError("too many lists of signatures")
    entries: list[SignatureEntry] = []
    for name in lists:
        for line in read_xml(archive, name, "Signatures").findall(f"{NAMESPACE}Signature"):
            location = line.get("BaseLoc")
            if not location:
                raise OfdError("a signature without BaseLoc")
            entries.append(SignatureEntry(line.get("Type") or SEAL, locate(archive, location, name)))
    names = [entry.name for entry in entries]
    if len(entries) > MAX_SIGNATURES or len(set(names)) != len(names):
        raise OfdError("too many signatures, or one listed twice")
    return Index(frozenset(lists), tuple(entries))


def read_signature(archive: Archive, entry: SignatureEntry) -> OfdSignature:
    """Read one signature that the index lists. Raise UnsupportedError or OfdError."""
    if entry.kind != SEAL:
        raise UnsupportedError("a signature without a seal (GB/T 35275) is not read here")
    description = read(archive, entry.name, MAX_DESCRIPTION)
    root = read_xml(archive, entry.name, "Signature")
    info = child(root, "SignedInfo")
    value_name = locate(archive, text(root, "SignedValue"), entry.name)
    seal_name = None
    if info.find(f"{NAMESPACE}Seal") is not None:
        seal_name = locate(archive, text(child(info, "Seal"), "BaseLoc"), entry.name)
    return OfdSignature(
        name=entry.name,
        description=description,
        references=_references(archive, info, entry.name),
        value_name=value_name,
        value=read(archive, value_name, MAX_SIGNATURE),
        seal_name=seal_name,
        seal=None if seal_name is None else read(archive, seal_name, MAX_SEAL),
    )


def altered(archive: Archive, signature: OfdSignature) -> tuple[str, ...]:
    """Return the names of referenced files whose digest is not the signed one, or that are missing or damaged."""
    return tuple(dict.fromkeys([r.name for r in signature.references if not _holds(archive, r)]))


def digest(signature: OfdSignature) -> bytes:
    """Return the SM3 value that the seal signature must cover: that of Signature.xml."""
    return sm3(signature.description)


def _holds(archive: Archive, reference: Reference) -> bool:
    try:
        return archive.sm3(reference.name) == reference.digest
    except ContainerError:
        return False


def _references(archive: Archive, info: _Element, base: str) -> tuple[Reference, ...]:
    container = child(info, "References")
    if container.get("CheckMethod") not in _SM3_NAMES:
        raise UnsupportedError("file digests other than SM3 are not read here")
    lines = container.findall(_REFERENCE)
    if not 1 <= len(lines) <= MAX_ENTRIES:
        raise OfdError("a signature that protects no file, or more than an archive can hold")
    return tuple(
        [
            Reference(resolve(archive, line.get("FileRef") or "", base), _base64(text(line, "CheckValue")))
            for line in lines
        ]
    )


def _base64(value: str) -> bytes:
    try:
        return binascii.a2b_base64("".join(value.split()), strict_mode=True)
    except ValueError:
        raise OfdError("a CheckValue that is not base64") from None
