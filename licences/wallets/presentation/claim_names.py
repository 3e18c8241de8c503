"""Where the fields of our licences stand in a wallet's credentials (证照字段与凭证声明对照): SD-JWT VC and mdoc.

A field has one name in matters and rights; each format says it in its own way. What every report tells anyway (type,
issuer, dates, status) belongs to no field and may be asked by anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from licences.formats.mdoc_elements import SPACE
from licences.predicates import AGE_OVER

if TYPE_CHECKING:
    from licences.wallets.presentation.dcql import Step

IDENTIFIER: Final = "licence_identifier"
_OPEN: Final = frozenset(
    {
        IDENTIFIER,
        "licence_type",
        "licence_name",
        "issuing_authority",
        "issuing_authority_code",
        "valid_from",
        "valid_until",
        "demonstration",
    }
)
_OPEN_SD_JWT: Final = _OPEN | {"iss", "vct", "iat", "exp", "nbf", "cnf", "status", "seal"}
_HOLDER: Final = {
    "holder_name": "holder_name",
    "holder_number": "holder_number",
    "certificate_number": "licence_number",
}
#: Fields that no claim is about: the register answers them, or the claims that are open.
_TOLD_ANYWAY: Final = frozenset({"issuer", "state", "valid_from", "valid_until"})
#: The elements of ISO/IEC 18013-5:2021 table 5 that `mdoc_elements` writes, by the field that each tells.
_DRIVING: Final = {
    "family_name": "holder_name",
    "given_name": "holder_name",
    "birth_date": "holder_number",
    "sex": "holder_number",
    "document_number": "certificate_number",
    "driving_privileges": "vehicle_class",
    "resident_address": "address",
}
_DRIVING_OPEN: Final = frozenset(
    {"issue_date", "expiry_date", "issuing_country", "issuing_authority", "un_distinguishing_sign"}
)
_FACE: Final = "face_"
UNKNOWN: Final = "?"


def of_field(field: str) -> str | None:
    """Return the claim that tells a field; None where no claim is needed."""
    if field in _TOLD_ANYWAY:
        return None
    return field if field in AGE_OVER else _HOLDER.get(field, f"{_FACE}{field}")


def of_sd_jwt(path: tuple[Step, ...]) -> str | None:
    """Return the field that a claim of our SD-JWT VC tells: None where it is open, UNKNOWN where there is none such."""
    name = path[0]
    if not isinstance(name, str):
        return UNKNOWN
    return None if name in _OPEN_SD_JWT else _field(name)


def of_mdoc(path: tuple[Step, ...]) -> str | None:
    """Return the field that an element of our mdoc tells, as `of_sd_jwt`."""
    space, name = path
    if space == SPACE:
        return None if name in _OPEN else _field(str(name))
    return None if name in _DRIVING_OPEN else _DRIVING.get(str(name), UNKNOWN)


def fields_told(names: list[str]) -> list[str]:
    """Return the fields that disclosed claims of ours tell, by their names in either format."""
    told = [_DRIVING.get(name) or (None if name in _OPEN_SD_JWT | _DRIVING_OPEN else _field(name)) for name in names]
    return sorted({field for field in told if field is not None and field != UNKNOWN})


def _field(claim: str) -> str:
    named = {said: field for field, said in _HOLDER.items()} | {name: name for name in AGE_OVER}
    if claim in named:
        return named[claim]
    return claim.removeprefix(_FACE) if claim.startswith(_FACE) else UNKNOWN
