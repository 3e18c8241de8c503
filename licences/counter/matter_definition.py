"""Matters of the no-certificate city (无证明城市事项): which proofs a matter needs, and which fields of each.

State Council decree 716 (2019) section 7: what can be had by sharing is not asked for again, and is not used for
anything else. So a matter lists the fields it needs one by one, and a look-up hands over these and no other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from licences.definition import HolderKind
from licences.definition_file import shipped_types
from licences.record_reader import DefinitionError, RecordReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from licences.definition import LicenceType

#: What a proof may ask of any licence beside the fields of its type.
GENERIC_FIELDS: Final = frozenset(
    {"holder_name", "holder_number", "certificate_number", "issuer", "state", "valid_from", "valid_until"}
)

_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")


class Way(StrEnum):
    """How a proof is got without paper (办理方式)."""

    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof of a matter: `fields` are what the asking unit may read; without `required` a matter can do without."""

    proof: str
    name: str
    name_en: str
    type_code: str
    ways: tuple[Way, ...]
    fields: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter (证明事项): who asks for proofs (索要单位), on what ground (设定依据), of whom, and which."""

    code: str
    name: str
    name_en: str
    unit: str
    legal_basis: str
    subject_kind: HolderKind
    proofs: tuple[Proof, ...]
    demonstration: bool

    def as_json(self) -> dict[str, object]:
        """Return the public entry, as `GET /v1/matters` lists it."""
        return {
            "code": self.code,
            "name": self.name,
            "name_en": self.name_en,
            "unit": self.unit,
            "legal_basis": self.legal_basis,
            "subject_kind": str(self.subject_kind),
            "proofs": [
                {
                    "proof": proof.proof,
                    "name": proof.name,
                    "name_en": proof.name_en,
                    "type": proof.type_code,
                    "ways": [str(way) for way in proof.ways],
                    "fields": list(proof.fields),
                    "required": proof.required,
                }
                for proof in self.proofs
            ],
            "demonstration": self.demonstration,
        }


@cache
def shipped_matters() -> tuple[Matter, ...]:
    """Return the matters of the demonstration city by code; raises `DefinitionError` where a file is wrong."""
    types = {entry.code: entry for entry in shipped_types()}
    folder = files("licences.counter") / "data"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json")]
    found = [parse_matter(json.loads(text), types) for text in texts]
    if len({entry.code for entry in found}) != len(found):
        raise DefinitionError("two matters share a code")
    return tuple(sorted(found, key=lambda entry: entry.code))


def parse_matter(data: object, types: Mapping[str, LicenceType]) -> Matter:
    """Read one matter from decoded JSON over the catalogue `types` (by code); raises `DefinitionError`."""
    source = RecordReader(data, "matter")
    found = Matter(
        code=source.text("code", 40),
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        unit=source.text("unit", 256),
        legal_basis=source.text("legal_basis", 500),
        subject_kind=source.choice("subject_kind", HolderKind),
        proofs=tuple(_parse_proof(item, types) for item in source.several("proofs", 20)),
        demonstration=source.flag("demonstration"),
    )
    source.close()
    if not _CODE.fullmatch(found.code):
        raise source.wrong("code", "capital letters, digits and hyphens")
    if not found.proofs or len({proof.proof for proof in found.proofs}) != len(found.proofs):
        raise source.wrong("proofs", "a list of different proofs")
    for proof in found.proofs:
        if not _fits(found.subject_kind, types[proof.type_code].holder_kind):
            raise source.wrong("subject_kind", f"who may hold what {proof.proof} asks for")
    return found


def _parse_proof(source: RecordReader, types: Mapping[str, LicenceType]) -> Proof:
    found = Proof(
        proof=source.text("proof", 40),
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        type_code=source.text("type", 21),
        ways=tuple(_parse_way(way, source) for way in source.texts("ways", 10, 20)),
        fields=source.texts("fields", 100, 40),
        required=source.flag("required"),
    )
    source.close()
    if not _WORD.fullmatch(found.proof):
        raise source.wrong("proof", "a word in lower case")
    if found.type_code not in types:
        raise source.wrong("type", "a type of the catalogue")
    for name, values in (("ways", found.ways), ("fields", found.fields)):
        if not values or len(set(values)) != len(values):
            raise source.wrong(name, "a list of one or more different words")
    if not set(found.fields) <= GENERIC_FIELDS | _names(types[found.type_code]):
        raise source.wrong("fields", "fields that this type has")
    return found


def _parse_way(text: str, source: RecordReader) -> Way:
    if text not in {str(way) for way in Way}:
        raise source.wrong("ways", "one of " + " ".join(Way))
    return Way(text)


def _names(licence_type: LicenceType) -> set[str]:
    return {field.name for field in licence_type.fields} | {field.name for field in licence_type.derived}


def _fits(subject: HolderKind, holder: HolderKind) -> bool:
    """A type for both kinds suits every matter; else the matter must be about that kind alone."""
    return holder in {subject, HolderKind.MIXED}
