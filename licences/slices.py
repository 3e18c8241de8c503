"""Parts of all holders (分段): so that several processes share a work on everything that is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of all holders: from one subject on, up to another."""

    first: str
    end: str | None

    @classmethod
    def of(cls, place: int, parts: int) -> Self:
        """Return part `place` (from 0) of `parts` equal ones."""
        step = 16**8 // parts
        return cls(f"{place * step:08x}", f"{(place + 1) * step:08x}" if place + 1 < parts else None)


EVERYTHING = Slice.of(0, 1)
