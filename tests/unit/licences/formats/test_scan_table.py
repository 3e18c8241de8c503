"""Does paper scan? The table of 25 simulated telephone shots a cell, for the shipped types whose codes are largest."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from licences import qr
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.formats import lc1_text
from licences.qr_symbol import symbol
from tests.unit.licences.formats.papers import ISSUER, message_of
from tests.unit.licences.formats.photographs import photograph

SHOTS = 25
SMALL, ENOUGH = 220, 260  # pixels on the sensor, quiet zone included


def texts(kind: LicenceType) -> tuple[str, str]:
    content = message_of(kind)
    return lc1_text.to_base45(content), lc1_text.to_address(content, ISSUER)


def read(text: str, width: int, shots: int = SHOTS) -> float:
    """The share of shots in which the code is read, to the letter."""
    drawn = Image.open(io.BytesIO(qr.png(text)))
    shown = (photograph(drawn, width, seed) for seed in range(shots))
    return sum(any(found.text == text for found in zxingcpp.read_barcodes(shot)) for shot in shown) / shots


@pytest.fixture(scope="module")
def largest() -> tuple[str, str]:
    """The codes of the type that takes most room."""
    return max((texts(kind) for kind in shipped_types()), key=lambda both: (symbol(both[1]).version, len(both[1])))


def test_the_code_for_scanners_is_always_read(largest: tuple[str, str]) -> None:
    assert read(largest[0], SMALL) == 1


def test_the_code_that_opens_a_page_is_read_too(largest: tuple[str, str]) -> None:
    assert symbol(largest[1]).version == 12
    assert read(largest[1], SMALL) >= 0.84
    assert read(largest[1], ENOUGH) == 1


def test_a_code_too_small_for_the_sensor_is_not_read(largest: tuple[str, str]) -> None:
    """The simulation is as hard as it says: nothing reads two pixels a module."""
    assert read(largest[0], 120, shots=5) == 0


@pytest.mark.soak
def test_every_shipped_type_is_read() -> None:
    failed = []
    for kind in shipped_types():
        for form, text in zip(("base45", "URL"), texts(kind), strict=True):
            shares = {width: read(text, width) for width in (SMALL, ENOUGH)}
            if shares[ENOUGH] < 1 or shares[SMALL] < (1 if form == "base45" else 0.84):
                failed.append((kind.slug, form, shares))
    assert failed == []
