"""Random damage, the same in every run: none of it may be accepted, none may crash the verifier."""

import random
from collections.abc import Iterator

import pytest

from seals.check import check_file
from seals.container import MAX_FILE, Archive, ContainerError
from seals.decoding import read_seal, read_signature
from seals.structure import SealFormatError
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, City, pack, plain_files
from tests.unit.seals.test_timestamps import TIMES, stamped

SIGNATURES, DOCUMENTS, SEALS, ARCHIVES, FILES = 1_800, 200, 1_000, 2_000, 1_000
SOAK = 50  # times as many


def mutants(rng: random.Random, data: bytes, count: int) -> Iterator[bytes]:
    """Yield `count` damaged copies of `data`, each different from it."""
    made = 0
    while made < count:
        mutant = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            place = rng.randrange(len(mutant))
            match rng.randrange(7):
                case 0 | 1:
                    mutant[place] ^= 1 << rng.randrange(8)
                case 2:
                    mutant[place] = rng.choice((0, 1, 0x30, 0x7F, 0x80, 0x81, 0x84, 0xA0, 0xFF))
                case 3:
                    del mutant[place : place + rng.randrange(1, 9)]
                case 4:
                    mutant[place:place] = rng.randbytes(rng.randrange(1, 9))
                case 5:
                    start = rng.randrange(len(mutant))
                    mutant[place : place + 8] = mutant[start : start + 8]
                case _:
                    del mutant[max(place, 1) :]
            if not mutant:
                mutant = bytearray(b"0")
        if bytes(mutant) != data:
            made += 1
            yield bytes(mutant)


@pytest.mark.parametrize("version", [1, 4, 5])
@pytest.mark.parametrize("times", [1, pytest.param(SOAK, marks=pytest.mark.soak)], ids=["2000", "100000"])
def test_mutants_of_a_signature_and_its_document(city: City, times: int, version: int) -> None:
    rng = random.Random(38540)
    signed = writer(city, version).signature()
    assert check_file(signed, document=DOCUMENT, anchors=city.anchors, now=NOW).ok
    judged = accepted = 0
    for mutant in mutants(rng, signed, SIGNATURES * times):
        judged += 1
        accepted += check_file(mutant, document=DOCUMENT, anchors=city.anchors, now=NOW).ok
    for mutant in mutants(rng, DOCUMENT, DOCUMENTS * times):
        judged += 1
        accepted += check_file(signed, document=mutant, anchors=city.anchors, now=NOW).ok
    assert (judged, accepted) == (2_000 * times, 0)


@pytest.mark.parametrize("times", [1, pytest.param(SOAK, marks=pytest.mark.soak)], ids=["2000", "100000"])
def test_mutants_of_a_stamped_signature_get_no_other_time(city: City, times: int) -> None:
    """A damaged time stamp is unsigned: it may be left out or not be read, but it gives no other time."""
    rng, data = random.Random(3161), stamped(city, SIGNED_AT)
    anchors = [*city.anchors, TIMES.certificate]
    for mutant in mutants(rng, data, 2_000 * times):
        report = check_file(mutant, document=DOCUMENT, anchors=anchors, now=NOW)
        if report.ok:
            (signature,) = report.signatures
            assert signature.trusted_at in {None, SIGNED_AT}
            assert read_signature(mutant).tbs_der == read_signature(data).tbs_der


def test_mutants_of_a_bare_seal_are_refused_unless_the_seal_says_the_same(city: City) -> None:
    for mutant in mutants(random.Random(1), city.seal, SEALS):
        assert not check_file(mutant, anchors=city.anchors, now=NOW).ok


def test_mutants_of_a_sealed_ofd_hold_only_where_every_file_is_the_same(city: City) -> None:
    data = city.stamp_ofd(plain_files())
    assert check_file(data, anchors=city.anchors, now=NOW).ok
    same = contents(data)
    for mutant in mutants(random.Random(33190), data, ARCHIVES):
        if check_file(mutant, anchors=city.anchors, now=NOW).ok:
            assert contents(mutant) == same  # the damage lies in a time or an attribute of the directory


def test_mutants_of_the_files_inside_a_sealed_ofd_are_all_refused(city: City) -> None:
    files = city.sealed_files(plain_files())
    rng = random.Random(18)
    for number in range(FILES):
        name = rng.choice(sorted(files))
        (mutant,) = mutants(rng, files[name], 1)
        report = check_file(pack(files | {name: mutant}), anchors=city.anchors, now=NOW)
        assert not report.ok, (number, name)


def test_readers_raise_nothing_but_their_own_errors(city: City) -> None:
    rng = random.Random(7)
    signed, archive = city.stamp(), city.stamp_ofd(plain_files())
    for read, data, error in (
        (read_seal, city.seal, SealFormatError),
        (read_signature, signed, SealFormatError),
        (contents, archive, ContainerError),
    ):
        refused = 0
        for mutant in mutants(rng, data, 500):
            try:
                read(mutant)
            except error:
                refused += 1
        assert refused > 100
    for _ in range(500):
        noise = rng.choice((b"", b"\x30\x82", b"PK\x03\x04", b"%PDF-")) + rng.randbytes(rng.randrange(200))
        assert not check_file(noise, document=noise, anchors=city.anchors, now=NOW).ok


def contents(data: bytes) -> dict[str, bytes]:
    archive = Archive(data)
    return {name: archive.read(name, limit=MAX_FILE) for name in archive.names}
