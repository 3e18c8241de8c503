"""What is asked of a PDF and said about one, without reading it: reading takes a large library, loaded on need."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """What lies in the signature of a sealed PDF: see `use_pdf`."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    SES = "SES"


class PdfError(ValueError):
    """A PDF that is broken, ambiguous, encrypted or too large to be read safely."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a text stands: the page from 0 and its rectangle in user space (ISO 32000-2 clause 8.3.2)."""

    page: int
    rectangle: tuple[float, float, float, float]
