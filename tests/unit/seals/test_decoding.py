"""The DER of seals: strict in, byte for byte out."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.sm2 import sm3
from seals.decoding import read_seal, read_signature
from seals.encoding import encode_seal, encode_seal_info, encode_signature, encode_tbs
from seals.structure import (
    CertificateDigest,
    Extension,
    Picture,
    SealFormatError,
    SealVersionError,
)
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DATA_NAME, DOCUMENT, PICTURE, SIGNED_AT, City


def test_a_seal_reads_back_as_it_was_made(city: City) -> None:
    extensions = (
        Extension("1.2.3.4", critical=True, value=b"a"),
        Extension("1.2.3.5", critical=False, value=b"b"),
        Extension("1.2.3.6", critical=False, value=b"c", explicit_false=True),
    )
    der = city.make_seal(extensions=extensions)
    seal = read_seal(der)
    assert (seal.der, seal.maker_certificate) == (der, city.maker.der)
    assert seal.info.extensions == extensions
    assert seal.info.picture == PICTURE
    assert (seal.info.seal_id, seal.info.vendor, seal.info.kind) == ("37160000000001", "DEMO", 1)
    assert seal.info.valid_from == SIGNED_AT - timedelta(days=1)
    assert encode_seal_info(seal.info) == seal.info_der


def test_received_bytes_are_kept_where_der_is_not_strict(city: City) -> None:
    extension = Extension("1.2.3.4", critical=False, value=b"x", explicit_false=True)
    strict = city.make_seal(extensions=(replace(extension, explicit_false=False),))
    loose = city.make_seal(extensions=(extension,))
    assert len(read_seal(loose).info_der) == len(read_seal(strict).info_der) + 3


def test_a_list_of_digests_reads_back(city: City) -> None:
    info = replace(read_seal(city.seal).info, certificates=(), digests=(CertificateDigest("SM3", bytes(32)),))
    assert read_seal(encode_seal(encode_seal_info(info), b"c", b"s")).info == info


def test_foreign_bytes_are_rebuilt_exactly(vectors: Path) -> None:
    esl = (vectors / "seals" / "UserV4.esl").read_bytes()
    seal = read_seal(esl)
    assert encode_seal(encode_seal_info(seal.info), seal.maker_certificate, seal.signature) == esl
    value = (vectors / "seals" / "SignedValueV4.dat").read_bytes()
    signed = read_signature(value)
    tbs = encode_tbs(signed.seal.der, signed.signed_at, signed.data_hash, signed.property_info)
    assert encode_signature(tbs, signed.signer_certificate, signed.signature) == value
    assert signed.data_hash == bytes(32)


@pytest.mark.parametrize(
    "change",
    [
        {"seal_id": "章"},
        {"vendor": "厂商"},
        {"seal_id": "1" * 1001},
        {"certificates": ()},
        {"digests": (CertificateDigest("SM3", b""),)},
        {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"created_at": SIGNED_AT.replace(microsecond=1)},
        {"picture": Picture("图", b"", 1, 1)},
    ],
    ids=str,
)
def test_facts_the_structure_cannot_hold_are_refused(city: City, change: dict[str, object]) -> None:
    info = read_seal(city.seal).info
    with pytest.raises(SealFormatError):
        encode_seal_info(replace(info, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage",
    [
        lambda der: der[:-1],
        lambda der: der + b"\0",
        lambda der: b"\x30\x80" + der[4:] + b"\0\0",  # indefinite length
        lambda der: b"\x30\x83\0" + der[2:],  # a length longer than it need be
        lambda der: b"\x31" + der[1:],
        lambda der: der.replace(b"\x16\x02ES", b"\x16\x02EX"),
        lambda der: der.replace(b"\x02\x01\x01\x30", b"\x02\x01\x02\x30"),  # certListType against the list
        lambda der: der.replace(b"20260228080000Z", b"20261328080000Z"),
        lambda der: der.replace(b"20260228080000Z", b"202602280800001"),
        lambda _: b"",
        lambda _: b"\x30" * 5000,
        lambda _: bytes((2 << 20) + 1),
    ],
)
def test_anything_but_strict_der_is_refused(city: City, damage: object) -> None:
    damaged = damage(city.seal)  # type: ignore[operator]
    assert damaged != city.seal
    with pytest.raises(SealFormatError):
        read_seal(damaged)


def test_too_many_extensions_or_certificates_are_refused(city: City) -> None:
    info = read_seal(city.seal).info
    many = tuple(Extension("1.2.3", critical=False, value=b"") for _ in range(65))
    with pytest.raises(SealFormatError):
        read_seal(encode_seal(encode_seal_info(replace(info, extensions=many)), b"c", b"s"))
    with pytest.raises(SealFormatError):
        read_seal(encode_seal(encode_seal_info(replace(info, certificates=(b"c",) * 101)), b"c", b"s"))


@pytest.mark.parametrize(("form", "seal_version"), [(4, 5), (5, 4), (4, 1), (5, 1)])
def test_a_signature_whose_version_is_not_its_seals_is_refused(city: City, form: int, seal_version: int) -> None:
    seal = writer(city, seal_version).seal()
    made = encode_signature(encode_tbs(seal, SIGNED_AT, bytes(32), DATA_NAME), b"c", b"s")
    start = made.index(seal)
    changed = made[: start - 1] + bytes([form]) + made[start:]  # the INTEGER before the seal is the version
    with pytest.raises(SealFormatError, match="different versions"):
        read_signature(changed)


@pytest.mark.parametrize("version", [0, 1, 3, 6, 127])
def test_a_version_nobody_knows_is_named(city: City, version: int) -> None:
    unknown = writer(city, 4).but(header=version)
    for read, der in ((read_seal, unknown.seal()), (read_signature, unknown.signature())):
        with pytest.raises(SealVersionError) as caught:
            read(der)
        assert caught.value.version == version


@pytest.mark.parametrize("version", [4, 5])
def test_a_seal_written_by_hand_reads_as_it_was_meant(city: City, version: int) -> None:
    made = writer(city, version)
    seal = read_seal(made.seal())
    assert (seal.info_der, seal.signed_der) == (made.info(), made.info())
    info = seal.info
    assert (info.version, info.seal_id, info.vendor, info.kind) == (version, "37160000000002", "HAND", 1)
    assert (info.name, info.certificates) == ("演示市手工印章", (city.signer.der,))
    assert (info.created_at, info.valid_from, info.valid_until) == (made.created_at, made.valid_from, made.valid_until)
    signed = read_signature(made.but(timestamp=b"token").signature())
    assert (signed.signed_at, signed.timestamp, signed.property_info) == (SIGNED_AT, b"token", "text/plain")
    assert (signed.signer_certificate, signed.data_hash) == (city.signer.der, sm3(DOCUMENT))


def test_only_a_2025_seal_has_a_timestamp(city: City) -> None:
    assert read_seal(writer(city, 5).but(seal_timestamp=b"token").seal()).timestamp == b"token"
    assert read_seal(writer(city, 5).seal()).timestamp is None
    with pytest.raises(SealFormatError, match="timestamp"):
        read_seal(writer(city, 4).but(seal_timestamp=b"token").seal())


def test_a_negative_version_is_no_version(city: City) -> None:
    with pytest.raises(SealFormatError) as caught:
        read_signature(writer(city, 4).but(header=-4).signature())
    assert not isinstance(caught.value, SealVersionError)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 10**4000},
        {"version": 0},
        {"version": -4},
        {"kind": 10**4000},
        {"kind": -1},
        {"picture": replace(PICTURE, width=10**4000)},
        {"picture": replace(PICTURE, height=-1)},
    ],
    ids=["version", "version 0", "version -4", "type", "type -1", "width", "height"],
)
def test_numbers_without_sense_are_refused(city: City, change: dict[str, object]) -> None:
    """Numbers of thousands of digits cannot even be printed in a message."""
    info = encode_seal_info(replace(read_seal(city.seal).info, **change))  # type: ignore[arg-type]
    with pytest.raises(SealFormatError):
        read_seal(encode_seal(info, b"c", b"s"))


def test_an_object_identifier_with_a_huge_arc_is_refused(city: City) -> None:
    der = city.make_seal(extensions=(Extension("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20", True, b""),))
    arcs = bytes([0x2A, *range(3, 21)])
    assert arcs in der
    with pytest.raises(SealFormatError):
        read_seal(der.replace(arcs, b"\x2a" + b"\xff" * 17 + b"\x7f"))
