"""Random damage to sealed PDFs, the same in every run: none of it may be accepted, none may crash the verifier."""

import random
import re

import pytest

from seals.check import check_file
from tests.unit.seals.made import NOW, City
from tests.unit.seals.pdfs import Office, document, seal_sm2
from tests.unit.seals.test_mutants import mutants

OFFICE = Office()


def values(data: bytes) -> list[tuple[int, int]]:
    """Return where the values of signatures stand, without the zeros that fill their room."""
    gaps = [(int(a), int(b)) for a, b in re.findall(rb"/ByteRange \[0 ([0-9]+) ([0-9]+) [0-9]+\]", data)]
    return [(start + 1, start + len(data[start : end - 1].rstrip(b"0"))) for start, end in gaps]


@pytest.mark.parametrize(
    ("kind", "count"), [("pades", 600), ("pades twice", 300), ("pades, compressed", 400), ("sm2", 200)]
)
def test_mutants_of_a_sealed_pdf(city: City, kind: str, count: int) -> None:
    """A third of the damage is done to the one place that no signature covers: its own value."""
    data = {
        "pades": lambda: OFFICE.seal(document()),
        "pades twice": lambda: OFFICE.seal(OFFICE.seal(document())),
        "pades, compressed": lambda: OFFICE.seal(document(stream=True)),
        "sm2": lambda: seal_sm2(city, document()),
    }[kind]()
    anchors = [*OFFICE.anchors, *city.anchors]
    assert check_file(data, anchors=anchors, now=NOW).ok
    rng = random.Random(32000)
    accepted = [m for m in mutants(rng, data, count) if check_file(m, anchors=anchors, now=NOW).ok]
    for _ in range(count // 2):
        start, end = rng.choice(values(data))
        at = rng.randrange(start, end)
        digit = rng.choice([d for d in b"0123456789ABCDEF" if d != data[at]])
        mutant = data[:at] + bytes([digit]) + data[at + 1 :]
        if check_file(mutant, anchors=anchors, now=NOW).ok:
            accepted.append(mutant)
    assert accepted == []
