"""Versions 1, 4 and 5 by the same named steps; the seals are assembled by hand, not by our own encoder."""

import random
from datetime import timedelta

import pytest

from keys.certificates import Certificate
from seals.check import check_file
from seals.decoding import read_seal
from seals.report import ExitStatus, Format, SealReport
from tests.unit.seals.by_hand import ORDER, VERSIONS, Writer, integer, octets, sequence, tlv, writer
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, YEAR, City, Party, pack, plain_files
from tests.unit.seals.test_mutants import mutants

DAY = timedelta(days=1)


@pytest.fixture(params=VERSIONS)
def made(city: City, request: pytest.FixtureRequest) -> Writer:
    return writer(city, request.param)


def judge(city: City, data: bytes, document: bytes | None = DOCUMENT, **changes: object) -> SealReport:
    return check_file(data, document=document, **({"anchors": city.anchors, "now": NOW} | changes))  # type: ignore[arg-type]


def not_ok(report: SealReport) -> dict[str, str]:
    return {c.name: str(c.result) for c in report.signatures[0].checks if c.result != "ok" and c.name != "revocation"}


def test_a_signature_holds_and_says_its_version(city: City, made: Writer) -> None:
    report = judge(city, made.signature())
    assert (report.ok, report.format, report.as_json()["version"]) == (True, Format.SIGNATURE, made.version)
    assert [check.name for check in report.signatures[0].checks] == [
        "format", "seal_signature", "seal_maker", "seal_period", "signature", "signer_in_list", "signer_certificate",
        "integrity", "revocation",
    ]  # fmt: skip


def test_a_bare_seal_holds(city: City, made: Writer) -> None:
    report = judge(city, made.seal(), None)
    assert (report.ok, report.format, report.as_json()["version"]) == (True, Format.SEAL, made.version)


def test_an_ofd_with_a_seal_of_any_version_holds(city: City, made: Writer) -> None:
    name = "Doc_0/Signs/Sign_0/Signature.xml"
    files = city.sealed_files(plain_files(), seal=made.seal())
    # Seals are signed anew every time they are made, so the one in the value has to be the one in Seal.esl.
    fixed = made.but(seal_value=_value_of(made, files["Doc_0/Signs/Sign_0/Seal.esl"]))
    signed = fixed.but(document=files[name], name=f"/{name}")
    report = judge(city, pack(files | {"Doc_0/Signs/Sign_0/SignedValue.dat": signed.signature()}), None)
    assert (report.ok, report.as_json()["version"]) == (True, made.version)


def _value_of(made: Writer, seal: bytes) -> bytes:
    value = read_seal(seal).signature
    assert made.but(seal_value=value).seal() == seal
    return value


WAYS = {
    "another document": (lambda w: w, DOCUMENT + b".", {"integrity": "fail"}),
    "somebody not in the list": (lambda w: w.but(listed=(w.city.stranger.der,)), DOCUMENT, {"signer_in_list": "fail"}),
    "seal expired": (lambda w: w.but(valid_until=SIGNED_AT - DAY / 2), DOCUMENT, {"seal_period": "fail"}),
    "seal not yet in force": (lambda w: w.but(valid_from=SIGNED_AT + DAY), DOCUMENT, {"seal_period": "fail"}),
    "signed in the future": (lambda w: w.but(signed_at=NOW + DAY), DOCUMENT, {"timestamp": "fail"}),
    "seal made by somebody else": (
        lambda w: w.but(maker=Party(w.city.stranger.private, w.city.maker.der)),
        DOCUMENT,
        {"seal_signature": "fail"},
    ),
    "signed by somebody else": (
        lambda w: w.but(signer=Party(w.city.stranger.private, w.city.signer.der)),
        DOCUMENT,
        {"signature": "fail"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_cheat_fails_its_own_step(city: City, made: Writer, way: str) -> None:
    change, document, expected = WAYS[way]
    report = judge(city, change(made).signature(), document)
    assert not_ok(report) == expected
    assert (report.ok, report.exit_status) == (False, ExitStatus.NO)


def test_the_maker_of_a_2014_seal_signs_more_than_its_info(city: City) -> None:
    old = writer(city, 1)
    report = judge(city, old.but(seal_value=city.maker.sign(old.info())).signature())
    assert not_ok(report) == {"seal_signature": "fail"}


@pytest.mark.parametrize("version", [4, 5])
def test_the_maker_of_a_later_seal_signs_its_info_alone(city: City, version: int) -> None:
    new = writer(city, version)
    old_way = sequence(new.info(), octets(city.maker.der), bytes.fromhex("06082a811ccf55018375"))
    report = judge(city, new.but(seal_value=city.maker.sign(old_way)).signature())
    assert not_ok(report) == {"seal_signature": "fail"}


def test_critical_false_written_out_is_noted_in_every_version(city: City, made: Writer) -> None:
    oid, false, true = b"\x06\x03\x2a\x03\x04", b"\x01\x01\x00", b"\x01\x01\xff"
    report = judge(city, made.but(extensions=sequence(sequence(oid, false, octets(b"x")))).signature())
    assert report.ok
    assert "DER" in report.signatures[0].checks[0].detail
    critical = judge(city, made.but(extensions=sequence(sequence(oid, true, octets(b"x")))).signature())
    assert not_ok(critical) == {"format": "fail"}


# --- GM/T 0031-2025 --------------------------------------------------------------------------------------------------


def short_lived_maker(city: City, until: object) -> Party:
    return city.party("短期制章者", serial=60, issuer=city.root, not_after=until)  # type: ignore[arg-type]


@pytest.mark.parametrize(("version", "expected"), [(1, "fail"), (4, "fail"), (5, "notice")])
def test_a_maker_whose_certificate_ended_between_making_and_signing(city: City, version: int, expected: str) -> None:
    maker = short_lived_maker(city, SIGNED_AT - DAY / 2)
    report = judge(city, writer(city, version).but(maker=maker).signature())
    assert not_ok(report) == {"seal_maker": expected}
    assert report.ok is (expected == "notice")


@pytest.mark.parametrize(("version", "expected"), [(1, "fail"), (4, "fail"), (5, "notice")])
def test_a_bare_seal_whose_maker_has_expired(city: City, version: int, expected: str) -> None:
    maker = short_lived_maker(city, SIGNED_AT + DAY)
    assert not_ok(judge(city, writer(city, version).but(maker=maker).seal(), None)) == {"seal_maker": expected}


def test_a_maker_expired_before_he_made_the_seal_fails_in_2025_too(city: City) -> None:
    maker = short_lived_maker(city, SIGNED_AT - 2 * DAY)
    assert not_ok(judge(city, writer(city, 5).but(maker=maker).signature())) == {"seal_maker": "fail"}


def test_a_chain_that_fails_is_no_notice_in_2025(city: City) -> None:
    root = city.party("另一根", serial=61, ca=True)
    maker = city.party("另一制章者", serial=62, issuer=root)
    report = judge(city, writer(city, 5).but(maker=maker).signature())
    assert not_ok(report) == {"seal_maker": "not_checked"}
    assert not report.ok


def test_a_2025_seal_is_not_used_before_it_is_made(city: City) -> None:
    report = judge(city, writer(city, 5).but(created_at=SIGNED_AT + DAY, valid_until=SIGNED_AT + YEAR).signature())
    assert not_ok(report) == {"seal_period": "fail"}
    assert report.reasons == ("seal_not_in_force",)


@pytest.mark.parametrize("where", ["seal_timestamp", "timestamp"])
def test_a_timestamp_is_named_and_not_checked(city: City, where: str) -> None:
    report = judge(city, writer(city, 5).but(**{where: b"token"}).signature())
    assert not_ok(report) == {"timestamp": "not_checked"}
    assert report.ok


def test_a_timestamp_on_a_bare_seal_is_named(city: City) -> None:
    report = judge(city, writer(city, 5).but(seal_timestamp=b"token").seal(), None)
    assert (not_ok(report), report.ok) == ({"timestamp": "not_checked"}, True)


def test_a_time_that_is_a_timestamp_token_is_named_in_the_report(city: City) -> None:
    report = judge(city, writer(city, 1).but(time_info=sequence(integer(1))).signature())
    assert (report.format, report.reasons) == (Format.SIGNATURE, ("format_unknown",))
    assert "timestamp of an authority" in report.signatures[0].checks[0].detail


# --- malformed signature values --------------------------------------------------------------------------------------

MALFORMED = {
    "r is 0": sequence(integer(0), integer(1)),
    "s is 0": sequence(integer(1), integer(0)),
    "r is n": sequence(integer(ORDER), integer(1)),
    "s is n": sequence(integer(1), integer(ORDER)),
    "r + s is n": sequence(integer(1), integer(ORDER - 1)),
    "both are n": sequence(integer(ORDER), integer(ORDER)),
    "both are 0": sequence(integer(0), integer(0)),
    "r is negative": sequence(integer(-1), integer(1)),
    "s is negative": sequence(integer(1), integer(-1)),
    "raw zeros": bytes(64),
    "raw r + s is n": (1).to_bytes(32, "big") + (ORDER - 1).to_bytes(32, "big"),
}


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize(("where", "step"), [("value", "signature"), ("seal_value", "seal_signature")])
def test_malformed_values_are_refused(city: City, made: Writer, kind: str, where: str, step: str) -> None:
    report = judge(city, made.but(**{where: MALFORMED[kind]}).signature())
    assert not_ok(report) == {step: "fail"}
    assert not report.ok


def _split(value: bytes) -> tuple[bytes, bytes]:
    size = value[3]
    return value[2 : 4 + size], value[4 + size :]


LOOSE = {
    "r not minimal": lambda r, s: sequence(tlv(0x02, b"\0", r[2:]), s),
    "s not minimal": lambda r, s: sequence(r, tlv(0x02, b"\0", s[2:])),
    "a byte behind": lambda r, s: sequence(r, s) + b"\0",
    "a third number": lambda r, s: sequence(r, s, integer(1)),
    "a long length": lambda r, s: b"\x30\x81" + sequence(r, s)[1:],
    "r plus n": lambda r, s: sequence(integer(int.from_bytes(r[2:], "big") + ORDER), s),
    "s plus n": lambda r, s: sequence(r, integer(int.from_bytes(s[2:], "big") + ORDER)),
    "s negated": lambda r, s: sequence(r, integer(ORDER - int.from_bytes(s[2:], "big"))),
    "SET": lambda r, s: b"\x31" + sequence(r, s)[1:],
}


@pytest.mark.parametrize("kind", LOOSE)
@pytest.mark.parametrize("where", ["signer", "maker"])
def test_another_spelling_of_a_good_value_is_refused(city: City, made: Writer, kind: str, where: str) -> None:
    seal_value = read_seal(made.seal()).signature
    fixed = made.but(seal_value=seal_value)
    if where == "maker":
        changed, step = made.but(seal_value=LOOSE[kind](*_split(seal_value))), "seal_signature"
    else:
        good = city.signer.sign(fixed.to_sign())
        assert judge(city, fixed.but(value=good).signature()).ok
        changed, step = fixed.but(value=LOOSE[kind](*_split(good))), "signature"
    assert not_ok(judge(city, changed.signature())) == {step: "fail"}


@pytest.mark.parametrize("where", ["signer", "maker"])
def test_a_key_off_the_curve_verifies_nothing(city: City, made: Writer, where: str) -> None:
    party: Party = getattr(city, where)
    point = party.certificate.public_key[-64:]
    assert party.der.count(point) == 1
    broken = party.der.replace(point, point[:-1] + bytes([point[-1] ^ 1]))
    report = judge(city, made.but(**{where: Party(party.private, broken)}).signature())
    step = "signature" if where == "signer" else "seal_signature"
    assert not_ok(report)[step] == "fail"
    assert not report.ok


# --- damage ----------------------------------------------------------------------------------------------------------


def test_no_mutant_of_a_signature_or_a_seal_holds(city: City, made: Writer) -> None:
    rng = random.Random(made.version)
    signed, seal = made.signature(), made.seal()
    assert judge(city, signed).ok
    assert judge(city, seal, None).ok
    anchors: list[Certificate] = city.anchors
    for mutant in mutants(rng, signed, 1_500):
        assert not check_file(mutant, document=DOCUMENT, anchors=anchors, now=NOW).ok
    for mutant in mutants(rng, seal, 500):
        assert not check_file(mutant, anchors=anchors, now=NOW).ok
