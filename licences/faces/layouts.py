"""Which layout a face gets (照面模板): a likeness where there is one, else what the type's first template asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from licences.definition import Layout
from licences.faces import card, certificate, content, likenesses, permit
from licences.faces.drawing import FaceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from licences.definition import LicenceType
    from licences.faces.content import Content
    from licences.faces.drawing import Page
    from licences.metadata import Metadata

#: Goes up whenever a layout changes, so that copies of an older one are made anew.
EDITION: Final = 1
_GENERIC: Final[dict[Layout, Callable[[Content], Page]]] = {
    Layout.CARD: card.draw,
    Layout.LANDSCAPE: certificate.draw,
    Layout.PORTRAIT: permit.draw,
}
_LIKENESSES: Final[dict[str, Callable[[Content], Page]]] = {
    "resident_card": likenesses.resident_card,
    "driving_licence": likenesses.driving_licence,
    "business_licence": likenesses.business_licence,
    "marriage_certificate": likenesses.marriage_certificate,
    "real_estate_title": likenesses.real_estate_title,
}


def draw(kind: LicenceType, metadata: Metadata, code: str) -> Page:
    """Return the face of a licence whose paper QR holds `code`; what is too much for its layout becomes a permit.

    Raises:
        FaceError: its fields do not fit on it.
        seals.font.FontError: it holds characters that the typeface lacks; they are named.
    """
    layout = _LIKENESSES.get(kind.slug) or _GENERIC[kind.templates[0].layout]
    written = content.read(kind, metadata, code)
    try:
        return layout(written)
    except FaceError:
        return permit.draw(written)
