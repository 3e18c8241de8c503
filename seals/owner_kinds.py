"""Whose a seal can be, and which kinds each may own (印章所有人与种类).

Departments and organisations: 国发〔1999〕25号 and the rules of public security on seals (official, contract, finance,
invoice and other special seals under the registered name). Persons: their own name seal (个人名章), and that of a legal
representative (法定代表人名章), which is his as long as he represents the organisation. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from seals.picture_kinds import NAME_SEALS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


class OwnerKind(StrEnum):
    """Whose a seal is."""

    DEPARTMENT = "department"
    ORGANISATION = "organisation"
    PERSON = "person"


_UNITS = frozenset(Kind) - NAME_SEALS
KINDS: Mapping[OwnerKind, frozenset[Kind]] = MappingProxyType(
    {OwnerKind.DEPARTMENT: _UNITS, OwnerKind.ORGANISATION: _UNITS, OwnerKind.PERSON: NAME_SEALS}
)
