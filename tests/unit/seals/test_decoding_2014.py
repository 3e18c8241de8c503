"""Seals of GM/T 0031-2014: another arrangement of the same parts, UTCTime, and a time of signing left open."""

import random
from datetime import UTC, datetime

import pytest

from keys.sm2 import sm3
from seals.decoding import read_seal, read_signature
from seals.structure import SealFormatError, SealVersionError
from tests.unit.seals.by_hand import (
    SM2_WITH_SM3,
    Writer,
    bits,
    generalized_time,
    integer,
    octets,
    sequence,
    tlv,
    utc_time,
    writer,
)
from tests.unit.seals.made import DOCUMENT, SIGNED_AT, City
from tests.unit.seals.test_mutants import mutants


@pytest.fixture
def made(city: City) -> Writer:
    return writer(city, 1)


def test_a_seal_reads_as_it_was_meant(city: City, made: Writer) -> None:
    der = made.seal()
    seal = read_seal(der)
    assert (seal.der, seal.info_der) == (der, made.info())
    assert seal.signed_der == sequence(made.info(), octets(city.maker.der), SM2_WITH_SM3)
    assert (seal.maker_certificate, seal.algorithm) == (city.maker.der, "1.2.156.10197.1.501")
    info = seal.info
    assert (info.version, info.seal_id, info.name) == (1, "37160000000002", "演示市手工印章")
    assert (info.certificates, info.digests) == ((city.signer.der,), ())
    assert (info.created_at, info.valid_from, info.valid_until) == (made.created_at, made.valid_from, made.valid_until)


def test_a_signature_reads_as_it_was_meant(city: City, made: Writer) -> None:
    fixed = made.but(seal_value=b"s")  # so that the seal is the same every time it is made
    signed = read_signature(fixed.signature())
    assert (signed.tbs_der, signed.seal.der) == (fixed.to_sign(), fixed.seal())
    assert (signed.signed_at, signed.data_hash, signed.property_info) == (SIGNED_AT, sm3(DOCUMENT), "text/plain")
    assert (signed.signer_certificate, signed.algorithm) == (city.signer.der, "1.2.156.10197.1.501")
    assert (signed.timestamp, signed.extensions) == (None, ())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_headers_say_one_two_or_three(made: Writer, number: int) -> None:
    assert read_signature(made.but(header=number).signature()).seal.info.version == 1


@pytest.mark.parametrize("number", [0, 4, 5, 6])
def test_another_number_in_this_form_is_named(made: Writer, number: int) -> None:
    other = made.but(header=number)
    for read, der in ((read_seal, other.seal()), (read_signature, other.signature())):
        with pytest.raises(SealVersionError) as caught:
            read(der)
        assert caught.value.version == number


TIMES = {
    "UTCTime in DER": utc_time(SIGNED_AT),
    "GeneralizedTime in DER": generalized_time(SIGNED_AT),
    "UTCTime as text": b"260301080000Z",
    "GeneralizedTime as text": b"20260301080000Z",
    "Beijing time as people write it": b"2026-03-01 16:00:00",
}


@pytest.mark.parametrize("kind", TIMES)
def test_the_time_of_signing_is_read_as_makers_write_it(made: Writer, kind: str) -> None:
    signed = read_signature(made.but(time_info=TIMES[kind]).signature())
    assert signed.signed_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert signed.signed_at.utcoffset() is not None


@pytest.mark.parametrize(
    "time",
    [
        b"",
        b"\x17",
        b"\x17\x0d260301080000",
        b"\x18\x0d260301080000Z",
        b"\x17\x11260301080000+0800",
        utc_time(SIGNED_AT) + b"\0",
        b"261301080000Z",
        b"20261301080000Z",
        b"2026-13-01 08:00:00",
        b"2026-02-30 08:00:00",
        b"0001-01-01 00:00:00",
        b"2026-03-01T08:00:00",
        b"2026-03-01 08:00:00\n",
        "２０２６-03-01 08:00:00".encode(),
        b"now",
    ],
)
def test_what_is_no_time_of_signing_is_refused(made: Writer, time: bytes) -> None:
    with pytest.raises(SealFormatError) as caught:
        read_signature(made.but(time_info=time).signature())
    assert not isinstance(caught.value, SealVersionError)


def test_a_timestamp_in_place_of_the_time_is_named_and_not_read(made: Writer) -> None:
    with pytest.raises(SealVersionError, match="timestamp of an authority"):
        read_signature(made.but(time_info=sequence(integer(1))).signature())


def test_times_of_a_seal_are_utc_times(made: Writer) -> None:
    for moment in (made.created_at, made.valid_until):
        der = made.but(seal_value=b"s").seal()
        with pytest.raises(SealFormatError):
            read_seal(_lengthened(der, utc_time(moment), generalized_time(moment)))


def _lengthened(der: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a part by a longer one and mend the lengths around it: SESeal, SES_SealInfo, SES_ESPropertyInfo."""
    info, sign_info = _children(der)
    header, number, facts, picture = _children(info)
    assert old in facts
    facts = tlv(0x30, b"".join(new if part == old else part for part in _children(facts)))
    return sequence(sequence(header, number, facts, picture), sign_info)


def _children(der: bytes) -> list[bytes]:
    def size(at: int) -> tuple[int, int]:
        first = der[at + 1]
        count = first & 0x7F if first & 0x80 else 0
        return 2 + count, int.from_bytes(der[at + 2 : at + 2 + count], "big") if count else first

    head, length = size(0)
    assert head + length == len(der)
    found, position = [], head
    while position < len(der):
        head, length = size(position)
        found.append(der[position : position + head + length])
        position += head + length
    return found


def test_the_helper_that_mends_lengths_changes_nothing_else(made: Writer) -> None:
    der = made.but(seal_value=b"s").seal()
    assert _lengthened(der, utc_time(made.valid_until), utc_time(made.valid_until)) == der


@pytest.mark.parametrize(
    "damage",
    [
        lambda der: der[:-1],
        lambda der: der + b"\0",
        lambda der: b"\x30\x80" + der[4:] + b"\0\0",
        lambda der: b"\x30\x83\0" + der[2:],
        lambda der: der.replace(b"\x16\x02ES", b"\x16\x02EX"),
        lambda der: der.replace(b"260228080000Z", b"261328080000Z"),
        lambda der: der.replace(SM2_WITH_SM3, b"\x06\x08\x80" + SM2_WITH_SM3[3:]),
        lambda der: der.replace(bits(b"s"), b"\x03\x02\x01s"),  # a bit left over
        lambda _: b"\x30\x82" + b"\x30" * 5000,
    ],
)
def test_anything_but_strict_der_is_refused(made: Writer, damage: object) -> None:
    der = made.but(seal_value=b"s").seal()
    damaged = damage(der)  # type: ignore[operator]
    assert damaged != der
    with pytest.raises(SealFormatError):
        read_seal(damaged)


def test_a_list_of_nobody_or_of_everybody_is_refused(city: City, made: Writer) -> None:
    assert len(read_seal(made.but(listed=(b"c",) * 100).seal()).info.certificates) == 100
    with pytest.raises(SealFormatError):
        read_seal(made.but(listed=(b"c",) * 101).seal())
    empty = made.info().replace(sequence(octets(city.signer.der)), sequence())
    with pytest.raises(SealFormatError):
        read_seal(sequence(empty, sequence(octets(b"c"), SM2_WITH_SM3, bits(b"s"))))


def test_random_damage_raises_nothing_but_a_format_error(made: Writer) -> None:
    rng = random.Random(31)
    for read, data in ((read_seal, made.seal()), (read_signature, made.signature())):
        refused = 0
        for mutant in mutants(rng, data, 1_000):
            try:
                read(mutant)
            except SealFormatError:
                refused += 1
        assert refused > 200
