"""GB/T 2260 administrative divisions (行政区划代码): what a six-digit code is called.

A code is valid when it has six digits. Whether our small table knows it is another question: divisions change every
year and a person keeps the code of the day of registration, so an unknown one is a warning and never a refusal.
`regions.csv` holds all provinces and prefectures, the counties of Shandong and of the four municipalities, and some
codes that were struck but live on in people's numbers (`struck`: the year).
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from idservice.numbers.fold import InvalidNumber, fold

_CODE = re.compile(r"[0-9]{6}")


class _Row(NamedTuple):
    name: str
    struck: int | None


@dataclass(frozen=True, slots=True)
class Region:
    """A division with those above it; a part our table does not know, or that the code does not have, is None."""

    code: str
    province: str | None
    prefecture: str | None
    county: str | None
    name: str | None
    """Full name from the province down, or None when the code itself is unknown."""
    struck: int | None
    """Year in which the code was struck from the standard, or None while it is in force."""
    warnings: tuple[str, ...]
    """`region_unknown`, or nothing."""


def normalise(text: str) -> str:
    """Fold what was typed. Raises `InvalidNumber("length")` above 64 characters, and nothing else."""
    return fold(text)


def check(text: str) -> str:
    """Return the normalised code, or raise `InvalidNumber` (length, alphabet)."""
    code = fold(text)
    if not _CODE.fullmatch(code):
        raise InvalidNumber("alphabet" if len(code) == 6 else "length")
    return code


def is_valid(text: str) -> bool:
    """Say whether `check` would return; a code we do not know is valid."""
    try:
        check(text)
    except InvalidNumber:
        return False
    return True


def parts(text: str) -> Region:
    """Return the division of a code with the names above it; raises as `check` does."""
    code = check(text)
    table = _table()
    row = table.get(code)
    province = table.get(code[:2] + "0000")
    prefecture = table.get(code[:4] + "00") if code[2:4] != "00" else None
    county = row if code[4:] != "00" else None
    above = (province, prefecture, county)
    return Region(
        code=code,
        province=province.name if province else None,
        prefecture=prefecture.name if prefecture else None,
        county=county.name if county else None,
        name="".join(level.name for level in above if level) if row else None,
        struck=row.struck if row else None,
        warnings=() if row else ("region_unknown",),
    )


def name(code: str) -> str | None:
    """Return the full name of a code such as 山东省滨州市滨城区, or None when it is unknown. Raises as `check` does."""
    return parts(code).name


def mask(text: str) -> str:
    """Show the province alone, `37****`; never raises. What is no code is hidden whole behind six stars."""
    return f"{fold(text)[:2]}****" if is_valid(text) else "*" * 6


@cache
def _table() -> dict[str, _Row]:
    with files("idservice.numbers").joinpath("regions.csv").open(encoding="utf-8") as lines:
        return {
            row["code"]: _Row(row["name"], int(row["struck"]) if row["struck"] else None)
            for row in csv.DictReader(lines)
        }
