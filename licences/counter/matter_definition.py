"""Matters of the no-certificate city (无证明城市事项): which proofs a matter needs, and which fields of each.

State Council decree 716 (2019) section 7: what can be had by sharing is not asked for again, and is not used for
anything else. So a matter lists the fields it needs one by one, and a look-up hands over these and no other.
Guobanfa (2020) 42: where the law allows it, the applicant may promise in writing instead of proving.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from idservice.numbers import credit_code
from licences.definition import HolderKind
from licences.definition_file import shipped_types
from licences.predicates import AGE_OVER
from licences.record_reader import DefinitionError, RecordReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from licences.definition import LicenceType

#: What a proof may ask of any licence beside the fields of its type.
GENERIC_FIELDS: Final = frozenset(
    {"holder_name", "holder_number", "certificate_number", "issuer", "state", "valid_from", "valid_until", *AGE_OVER}
)

#: What the registers of people and organisations can confirm where a proof names no licence type.
REGISTER_FIELDS: Final = {
    HolderKind.PERSON: frozenset({"holder_name", "phone"}),
    HolderKind.ORGANISATION: frozenset({"holder_name"}),
}

_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")
_MAX_DAYS: Final = 60


class Way(StrEnum):
    """How a proof is got without paper (办理方式)."""

    CANCELLED = "cancelled"  # 直接取消: nobody asks for it any more
    LICENCE = "licence"  # 电子证照: the fields the matter needs
    DATA_CHECK = "data_check"  # 数据核验: claimed values are compared, none is handed over
    DEPARTMENT_CHECK = "department_check"  # 部门协查: the issuing unit is asked
    COMMITMENT = "commitment"  # 告知承诺: the applicant promises it in writing


@dataclass(frozen=True, slots=True)
class LegalGround:
    """A provision by which the asking unit may look without the holder's leave (法定依据), named by its code."""

    code: str
    law: str
    article: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof of a matter (证明材料): `ways` in order of preference, `fields` all that the asking unit may learn.

    `issuing_unit` (开具单位) is a unit's name or credit code; `type_code` the licence that proves it, None where no
    type does; `commitment` the text to be signed, in Chinese and English; `days` the working days the issuing unit has
    for an answer. A matter can do without a proof that is not `required`.
    """

    proof: str
    name: str
    name_en: str
    type_code: str | None
    ways: tuple[Way, ...]
    fields: tuple[str, ...]
    required: bool
    issuing_unit: str = ""
    commitment: str | None = None
    commitment_en: str | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter (证明事项): who asks for proofs (索要单位), on what ground (设定依据), of whom, and which.

    `unit_code` is the asking unit's credit code, without which nobody looks up by law; `grounds` are the provisions
    for that. `in_force` False is a matter no longer handled: kept, not listed. `version` counts from 1 once entered.
    """

    code: str
    name: str
    name_en: str
    unit: str
    legal_basis: str
    subject_kind: HolderKind
    proofs: tuple[Proof, ...]
    demonstration: bool
    unit_code: str | None = None
    grounds: tuple[LegalGround, ...] = ()
    in_force: bool = True
    version: int = 0

    @property
    def needed(self) -> tuple[Proof, ...]:
        """Return the proofs that are not cancelled."""
        return tuple(proof for proof in self.proofs if Way.CANCELLED not in proof.ways)

    @property
    def types(self) -> frozenset[str]:
        """Return the licence types that its proofs can be met by."""
        return frozenset(proof.type_code for proof in self.proofs if proof.type_code is not None)

    @property
    def fields(self) -> frozenset[str]:
        """Return every field that one of its proofs needs."""
        return frozenset(name for proof in self.proofs for name in proof.fields)

    def entered_as(self, version: int) -> Matter:
        """Return this matter as that version."""
        return replace(self, version=version)

    def definition(self) -> dict[str, object]:
        """Return what is stored, imported and exported: JSON that `parse_matter` reads back as the same matter."""
        return {
            "code": self.code,
            "name": self.name,
            "name_en": self.name_en,
            "unit": self.unit,
            "unit_code": self.unit_code,
            "legal_basis": self.legal_basis,
            "grounds": [{"code": one.code, "law": one.law, "article": one.article} for one in self.grounds],
            "subject_kind": str(self.subject_kind),
            "proofs": [_proof_as_json(proof) for proof in self.proofs],
            "in_force": self.in_force,
            "demonstration": self.demonstration,
        }

    def as_json(self) -> dict[str, object]:
        """Return the public entry, as `GET /v1/matters` lists it."""
        return {**self.definition(), "version": self.version}


def _proof_as_json(proof: Proof) -> dict[str, object]:
    return {
        "proof": proof.proof,
        "name": proof.name,
        "name_en": proof.name_en,
        "type": proof.type_code,
        "ways": [str(way) for way in proof.ways],
        "fields": list(proof.fields),
        "required": proof.required,
        "issuing_unit": proof.issuing_unit or None,
        "commitment": proof.commitment,
        "commitment_en": proof.commitment_en,
        "days": proof.days,
    }


@cache
def shipped_matters() -> tuple[Matter, ...]:
    """Return the matters of the demonstration city by code; raises `DefinitionError` where a file is wrong."""
    types = {entry.code: entry for entry in shipped_types()}
    folder = files("licences.counter") / "data"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json")]
    return read_matters([json.loads(text) for text in texts], types)


def read_matters(listed: list[object], types: Mapping[str, LicenceType]) -> tuple[Matter, ...]:
    """Read several matters, by code; raises `DefinitionError` where one is wrong or two share a code."""
    found = [parse_matter(item, types) for item in listed]
    if len({entry.code for entry in found}) != len(found):
        raise DefinitionError("two matters share a code")
    return tuple(sorted(found, key=lambda entry: entry.code))


def parse_matter(data: object, types: Mapping[str, LicenceType]) -> Matter:
    """Read one matter from decoded JSON over the catalogue `types` (by code); raises `DefinitionError`."""
    source = RecordReader(data, "matter")
    kind = source.choice("subject_kind", HolderKind)
    found = Matter(
        code=source.text("code", 40),
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        unit=source.text("unit", 256),
        legal_basis=source.text("legal_basis", 500),
        subject_kind=kind,
        proofs=tuple(_parse_proof(item, types, kind) for item in source.several("proofs", 20)),
        demonstration=source.flag("demonstration"),
        unit_code=source.text("unit_code", 18) if source.has("unit_code") else None,
        grounds=tuple(map(_parse_ground, source.several("grounds", 10))) if source.has("grounds") else (),
        in_force=source.flag("in_force") if source.has("in_force") else True,
    )
    source.close()
    if not _CODE.fullmatch(found.code):
        raise source.wrong("code", "capital letters, digits and hyphens")
    if not found.proofs or len({proof.proof for proof in found.proofs}) != len(found.proofs):
        raise source.wrong("proofs", "a list of different proofs")
    if found.unit_code is not None and not credit_code.is_valid(found.unit_code):
        raise source.wrong("unit_code", "a credit code")
    if len({one.code for one in found.grounds}) != len(found.grounds) or (found.grounds and not found.unit_code):
        raise source.wrong("grounds", "a list of different provisions, for a unit whose credit code is given")
    return found


def _parse_ground(source: RecordReader) -> LegalGround:
    found = LegalGround(source.text("code", 40), source.text("law", 256), source.text("article", 100))
    source.close()
    if not _CODE.fullmatch(found.code):
        raise source.wrong("code", "capital letters, digits and hyphens")
    return found


def _parse_proof(source: RecordReader, types: Mapping[str, LicenceType], kind: HolderKind) -> Proof:
    found = Proof(
        proof=source.text("proof", 40),
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        type_code=source.text("type", 21) if source.has("type") else None,
        ways=tuple(_parse_way(way, source) for way in source.texts("ways", len(Way), 20)),
        fields=source.texts("fields", 100, 40),
        required=source.flag("required"),
        issuing_unit=source.text("issuing_unit", 256) if source.has("issuing_unit") else "",
        commitment=source.text("commitment", 2000) if source.has("commitment") else None,
        commitment_en=source.text("commitment_en", 2000) if source.has("commitment_en") else None,
        days=source.number("days", 1, _MAX_DAYS) if source.has("days") else None,
    )
    source.close()
    if not _WORD.fullmatch(found.proof):
        raise source.wrong("proof", "a word in lower case")
    for name, values in (("ways", found.ways), ("fields", found.fields)):
        if len(set(values)) != len(values):
            raise source.wrong(name, "a list of different words")
    _check_ways(source, found)
    _check_fields(source, found, types, kind)
    return found


def _check_ways(source: RecordReader, found: Proof) -> None:
    """What a way needs is there, and nothing that no way needs."""
    ways = frozenset(found.ways)
    if not ways or (Way.CANCELLED in ways and len(ways) > 1):
        raise source.wrong("ways", "one way or more, or cancelled alone")
    if (Way.DEPARTMENT_CHECK in ways) is not (found.days is not None):
        raise source.wrong("days", "given for a department check, and only for one")
    if Way.DEPARTMENT_CHECK in ways and not found.issuing_unit:
        raise source.wrong("issuing_unit", "given for a department check")
    if {Way.COMMITMENT in ways} != {found.commitment is not None, found.commitment_en is not None}:
        raise source.wrong("commitment", "given in both languages for a commitment, and only for one")


def _check_fields(source: RecordReader, found: Proof, types: Mapping[str, LicenceType], kind: HolderKind) -> None:
    """The type exists and the subject may hold it, and it, or the register, has the fields."""
    if found.type_code is None:
        if Way.LICENCE in found.ways:
            raise source.wrong("type", "given for a licence")
        known = REGISTER_FIELDS.get(kind, frozenset())
    else:
        if found.type_code not in types or not {Way.LICENCE, Way.DATA_CHECK} & set(found.ways):
            raise source.wrong("type", "a type of the catalogue, for a licence or a data check")
        if not _fits(kind, types[found.type_code].holder_kind):
            raise source.wrong("type", "one that the matter's subjects may hold")
        known = GENERIC_FIELDS | _names(types[found.type_code])
    if bool(found.fields) is not bool({Way.LICENCE, Way.DATA_CHECK} & set(found.ways)):
        raise source.wrong("fields", "given for a licence or a data check, and only for these")
    if not set(found.fields) <= known:
        raise source.wrong("fields", "fields that this type, or the register, has")


def _parse_way(text: str, source: RecordReader) -> Way:
    if text not in {str(way) for way in Way}:
        raise source.wrong("ways", "one of " + " ".join(Way))
    return Way(text)


def _names(licence_type: LicenceType) -> set[str]:
    return {field.name for field in licence_type.fields} | {field.name for field in licence_type.derived}


def _fits(subject: HolderKind, holder: HolderKind) -> bool:
    """A type for both kinds suits every matter; else the matter must be about that kind alone."""
    return holder in {subject, HolderKind.MIXED}
