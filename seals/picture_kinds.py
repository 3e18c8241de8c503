"""The kinds of seal that are applied for (印章种类), and how each looks.

A seal bears the name of its owner as the register has it, never one that the applicant chose.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from seals.lettering import PictureError, numbered
from seals.picture_oval import SPECIAL as INVOICE_LINE
from seals.picture_oval import oval_layout
from seals.picture_round import RULES, Rank, round_layout
from seals.picture_square import square_layout

if TYPE_CHECKING:
    from seals.geometry import Layout

SPECIAL = "专用章"


class Kind(StrEnum):
    """What a seal is for."""

    OFFICIAL = "official"  # 公章
    SPECIAL = "special"  # 专用章
    CONTRACT = "contract"  # 合同专用章
    FINANCE = "finance"  # 财务专用章
    INVOICE = "invoice"  # 发票专用章
    PERSONAL = "personal"  # 个人名章
    REPRESENTATIVE = "representative"  # 法定代表人名章


#: The line that a kind always bears.
LINES: dict[Kind, str] = {Kind.CONTRACT: "合同专用章", Kind.FINANCE: "财务专用章", Kind.INVOICE: INVOICE_LINE}
#: Seals that bear a person's name and nothing else, and what each is called.
_CALLED: dict[Kind, str] = {Kind.PERSONAL: "个人名章", Kind.REPRESENTATIVE: "法定代表人名章"}
NAME_SEALS = frozenset(_CALLED)


@dataclass(frozen=True, slots=True)
class Design:
    """What an applicant chooses of a seal's looks.

    `special` is the line of a seal for a special purpose; `number` tells several of one purpose apart; `code` stands on
    the lower arc, or is the taxpayer's number of an invoice seal.
    """

    kind: Kind = Kind.OFFICIAL
    rank: Rank = Rank.DEPARTMENT
    special: str | None = None
    number: int | None = None
    code: str | None = None

    @property
    def line(self) -> str | None:
        """Return the line that the seal bears under the name."""
        return LINES.get(self.kind, self.special)

    def check(self) -> None:
        """Raise DesignError, naming the member that is wrong."""
        if self.kind in NAME_SEALS:
            for field in ("special", "number", "code"):
                if getattr(self, field) is not None:
                    raise DesignError(field, "A name seal bears the name alone.")
            return
        if self.kind is Kind.SPECIAL:
            # Without its ending the line could read as another unit.
            if self.special is None or not self.special.endswith(SPECIAL):
                raise DesignError("special", f"The line ends with {SPECIAL}.")
        elif self.special is not None:
            raise DesignError("special", "Only a seal of kind `special` has a line of its own.")
        if self.number is not None and self.line is None:
            raise DesignError("number", "An official seal has no number: there is one.")

    def as_json(self) -> dict[str, Any]:
        """Return the members that are set, as they are stored."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> Design:
        """Return the design that `as_json` wrote."""
        return cls(**{**stored, "kind": Kind(stored["kind"]), "rank": Rank(stored["rank"])})


def chosen(*, kind: Kind | None, special: str | None, **others: Any) -> Design:
    """Return the design of an application; one that names no kind is for a special purpose if it has a line."""
    return Design(kind or (Kind.OFFICIAL if special is None else Kind.SPECIAL), special=special, **others)


class DesignError(PictureError):
    """A choice that makes no seal; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def layout_of(name: str, design: Design) -> Layout:
    """Return the layout of the seal of a unit or person of that name.

    Raises:
        PictureError: it cannot be set.
    """
    design.check()
    if design.kind in NAME_SEALS:
        return square_layout(name)
    if design.kind is Kind.INVOICE:
        if design.code is None:
            raise DesignError("code", "An invoice seal bears the taxpayer's number.")
        return oval_layout(name, code=design.code, number=design.number)
    diameter, emblem = RULES[design.rank]
    return round_layout(
        name, diameter=diameter, emblem=emblem, special=design.line, number=design.number, code=design.code
    )


def full_name(name: str, design: Design) -> str:
    """Return what the seal is called: the owner's name, its line and number."""
    if design.kind in NAME_SEALS:
        return f"{name}{_CALLED[design.kind]}"
    number = "" if design.number is None else numbered(design.number)
    return f"{name}{design.line or ''}{number}"
