"""What of a licence stands in its mdoc: the driving licence as ISO/IEC 18013-5:2021 clause 7.2 has it, and our own.

Every document has the namespace of this house with the whole face, under the names that the SD-JWT VC uses. A driving
licence has besides the namespace of the international driving licence; the element it lacks of those that are
mandatory there is the portrait, because the record of a licence holds none.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from idservice.numbers import citizen
from licences.formats.mdoc import full_date
from licences.metadata import LONG_TERM

if TYPE_CHECKING:
    from licences.metadata import Metadata

SPACE: Final = "urn:ona:licence:1"
MDL: Final = "org.iso.18013.5.1.mDL"
_MDL_SPACE: Final = "org.iso.18013.5.1"
_DRIVING: Final = "driving_licence"
_COUNTRY, _SIGN = "CN", "CHN"  # ISO 3166-1 alpha-2; the distinguishing sign of ISO/IEC 18013-1 annex F
_SEX: Final = {citizen.Sex.MALE: 1, citizen.Sex.FEMALE: 2}  # ISO/IEC 5218


def doc_type(slug: str, type_code: str) -> str:
    """Return the docType of a licence of that type."""
    return MDL if slug == _DRIVING else f"{SPACE}:{type_code}"


def elements(slug: str, metadata: Metadata) -> dict[str, dict[str, object]]:
    """Return by namespace the elements of a licence."""
    found = {SPACE: _own(metadata)}
    return {_MDL_SPACE: _driving(metadata), **found} if slug == _DRIVING else found


def _own(metadata: Metadata) -> dict[str, object]:
    return {
        "licence_identifier": metadata.identifier,
        "licence_type": metadata.type_code,
        "licence_name": metadata.type_name,
        "licence_number": metadata.number,
        "holder_name": [holder.name for holder in metadata.holders],
        "holder_number": [holder.code for holder in metadata.holders],
        "issuing_authority": metadata.issuer.name,
        "issuing_authority_code": metadata.issuer.code,
        "valid_from": full_date(metadata.valid_from),
        "valid_until": full_date(metadata.valid_until) if metadata.valid_until else LONG_TERM,
        "demonstration": metadata.demonstration,
        **{f"face_{name}": value for name, value in metadata.surface.items()},
    }


def _driving(metadata: Metadata) -> dict[str, object]:
    """Return the elements of table 5. A Chinese name is not parted: it stands whole in `family_name`."""
    holder, face = metadata.holders[0], metadata.surface
    parts = citizen.parts(holder.code)
    ends = {"expiry_date": full_date(metadata.valid_until)} if metadata.valid_until else {}
    first = date.fromisoformat(str(face["first_issued_on"]))
    privilege = {"vehicle_category_code": str(face["vehicle_class"]), "issue_date": full_date(first), **ends}
    return {
        "family_name": holder.name,
        "given_name": "",
        "birth_date": full_date(parts.birth_date),
        "issue_date": full_date(metadata.valid_from),
        **ends,
        "issuing_country": _COUNTRY,
        "issuing_authority": metadata.issuer.name,
        "document_number": metadata.number,
        "driving_privileges": [privilege],
        "un_distinguishing_sign": _SIGN,
        "sex": _SEX[parts.sex],
        "resident_address": str(face["address"]),
    }
