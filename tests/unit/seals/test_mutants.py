"""Random damage, the same in every run: none of it may be accepted, none may crash the verifier."""

import random
from collections.abc import Iterator

from seals.check import check_file
from seals.container import MAX_FILE, Archive, ContainerError
from seals.decoding import read_seal, read_signature
from seals.structure import SealFormatError
from tests.unit.seals.made import DOCUMENT, NOW, City, pack, plain_files

SIGNATURES, DOCUMENTS, SEALS, ARCHIVES, FILES = 9_000, 1_000, 1_000, 2_000, 1_000


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


def test_ten_thousand_mutants_of_a_signature_and_its_document(city: City) -> None:
    rng = random.Random(38540)
    signed = city.stamp()
    assert check_file(signed, document=DOCUMENT, anchors=city.anchors, now=NOW).ok
    pairs = [(mutant, DOCUMENT) for mutant in mutants(rng, signed, SIGNATURES)]
    pairs += [(signed, mutant) for mutant in mutants(rng, DOCUMENT, DOCUMENTS)]
    accepted = [p for p in pairs if check_file(p[0], document=p[1], anchors=city.anchors, now=NOW).ok]
    assert len(pairs) == 10_000
    assert accepted == []


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
