"""What is written on a face (照面内容): the fields of a licence's record with their titles, as words.

A face states what the record states, in the order of the catalogue; nothing is left out and nothing is added. The
holder and what follows from his number come first, as on every licence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from licences.definition import HolderKind
from licences.metadata import LONG_TERM, holder_kind
from licences.surface import is_date

if TYPE_CHECKING:
    from datetime import date

    from licences.definition import LicenceType
    from licences.metadata import Metadata
    from licences.surface import Value


@dataclass(frozen=True, slots=True)
class Row:
    """One field: its name in the index, its title, and its value as words."""

    name: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that a layout writes: `code` is the text of the paper QR, `rows` the whole face."""

    slug: str
    title: str
    colour: str
    number: str
    identifier: str
    issuer: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    organisation: bool
    demonstration: bool
    rows: tuple[Row, ...]
    code: str

    def value(self, name: str) -> str:
        """Return the value of a row, empty where the face has none of that name."""
        return next((row.value for row in self.rows if row.name == name), "")

    def others(self, *names: str) -> tuple[Row, ...]:
        """Return the rows but those named, for a layout that puts these at places of their own."""
        return tuple(row for row in self.rows if row.name not in names)

    @property
    def term(self) -> str:
        """The term of validity, in words."""
        return f"{chinese_day(self.valid_from)}至{chinese_day(self.valid_until) if self.valid_until else LONG_TERM}"

    @property
    def dotted_term(self) -> str:
        """The term of validity as cards print it."""
        return f"{dotted(self.valid_from)}-{dotted(self.valid_until) if self.valid_until else LONG_TERM}"


def read(kind: LicenceType, metadata: Metadata, code: str) -> Content:
    """Return what is written on the face of a licence whose paper QR holds `code`."""
    first = metadata.holders[0]
    organisation = holder_kind(first) is HolderKind.ORGANISATION
    names, numbers = ("名称", "统一社会信用代码") if organisation else ("姓名", "公民身份号码")
    derived = tuple((one.name, one.title) for one in kind.derived)
    fields = tuple((one.name, one.title) for one in kind.fields)
    return Content(
        slug=kind.slug,
        title=metadata.type_name,
        colour=kind.card.colour,
        number=metadata.number,
        identifier=metadata.identifier,
        issuer=metadata.issuer.name,
        issued_on=metadata.issued_on,
        valid_from=metadata.valid_from,
        valid_until=metadata.valid_until,
        organisation=organisation,
        demonstration=metadata.demonstration,
        rows=(
            Row("holder_name", names, "、".join(holder.name for holder in metadata.holders)),
            *_rows(derived, metadata),
            Row("holder_number", numbers, "、".join(holder.code for holder in metadata.holders)),
            *_rows(fields, metadata),
        ),
        code=code,
    )


def chinese_day(day: date) -> str:
    """Return a day as documents write it: 2026年01月05日."""
    return f"{day:%Y}年{day:%m}月{day:%d}日"


def dotted(day: date) -> str:
    """Return a day as cards print it: 2026.01.05."""
    return f"{day:%Y.%m.%d}"


def as_words(value: Value) -> str:
    """Return a value of the face as it is printed."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str) and is_date(value):
        return f"{value[:4]}年{value[5:7]}月{value[8:]}日"
    return str(value)


def _rows(fields: tuple[tuple[str, str], ...], metadata: Metadata) -> tuple[Row, ...]:
    surface = metadata.surface
    return tuple(Row(name, title, as_words(surface[name])) for name, title in fields if name in surface)
