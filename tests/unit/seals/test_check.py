"""The verdicts on detached signatures, bare seals and files that are neither."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys import sm2
from keys.certificates import KeyUsage
from keys.verdict import Reason, Result
from seals.check import check_file
from seals.decoding import read_seal, read_signature
from seals.encoding import encode_seal, encode_seal_info, encode_signature
from seals.report import ExitStatus, Format, SealReport
from seals.signature import assemble
from seals.structure import CertificateDigest, Extension
from tests.unit.seals.made import DATA_NAME, DOCUMENT, NOW, SIGNED_AT, YEAR, City

VECTORS = Path(__file__).parents[2] / "vectors" / "seals"
TAMPERED = json.loads((VECTORS / "tampered.json").read_text())


def results(report: SealReport, index: int = 0) -> dict[str, str]:
    return {check.name: str(check.result) for check in report.signatures[index].checks}


def judge(city: City, data: bytes, document: bytes | None = DOCUMENT, **changes: object) -> SealReport:
    return check_file(data, document=document, **({"anchors": city.anchors, "now": NOW} | changes))  # type: ignore[arg-type]


def flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


class Tampered:
    """Each method is one way to cheat; tampered.json says what it must lead to."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.document = DOCUMENT
        self.signed = read_signature(city.stamp())

    def nothing(self) -> bytes:
        return self.signed.der

    def document_altered(self) -> bytes:
        self.document = flip(DOCUMENT, 7)
        return self.signed.der

    def signature_value_of_another_document(self) -> bytes:
        other = read_signature(self.city.stamp(b"other"))
        return encode_signature(self.signed.tbs_der, self.city.signer.der, other.signature)

    def time_moved(self) -> bytes:
        s = self.signed
        moved = s.signed_at + timedelta(days=1)
        return assemble(
            s.seal.der, moved, s.data_hash, DATA_NAME, signer_certificate=self.city.signer.der, signature=s.signature
        )

    def signed_by_somebody_not_in_the_list(self) -> bytes:
        return self.city.stamp(signer=self.city.stranger)

    def certificate_swapped(self) -> bytes:
        return encode_signature(self.signed.tbs_der, self.city.stranger.der, self.signed.signature)

    def seal_made_by_nobody_known(self) -> bytes:
        root = self.city.party("另一根", serial=9, ca=True)
        maker = self.city.party("另一制章者", serial=10, issuer=root)
        return self.city.stamp(seal=self.city.make_seal(maker=maker))

    def seal_renamed(self) -> bytes:
        seal = read_seal(self.city.seal)
        info = encode_seal_info(replace(seal.info, name="演示市公安局"))
        return self.city.stamp(seal=encode_seal(info, seal.maker_certificate, seal.signature))

    def seal_expired(self) -> bytes:
        return self.city.stamp(seal=self.city.make_seal(valid_until=SIGNED_AT - timedelta(seconds=1)))

    def seal_not_yet_in_force(self) -> bytes:
        return self.city.stamp(seal=self.city.make_seal(valid_from=SIGNED_AT + timedelta(seconds=1)))

    def signer_expired_at_signing(self) -> bytes:
        signer = self.city.party("旧", serial=11, issuer=self.city.root, not_after=SIGNED_AT - timedelta(days=1))
        return self.city.stamp(seal=self.city.make_seal(signers=(signer,)), signer=signer)

    def signer_expired_since(self) -> bytes:
        signer = self.city.party("近", serial=12, issuer=self.city.root, not_after=SIGNED_AT + timedelta(days=1))
        return self.city.stamp(seal=self.city.make_seal(signers=(signer,)), signer=signer)

    def signer_not_for_signing(self) -> bytes:
        usage = frozenset({KeyUsage.KEY_ENCIPHERMENT})
        signer = self.city.party("密", serial=13, issuer=self.city.root, key_usage=usage)
        return self.city.stamp(seal=self.city.make_seal(signers=(signer,)), signer=signer)

    def maker_expired_at_signing(self) -> bytes:
        maker = self.city.party("旧", serial=14, issuer=self.city.root, not_after=SIGNED_AT - timedelta(days=1))
        return self.city.stamp(seal=self.city.make_seal(maker=maker))

    def signed_in_the_future(self) -> bytes:
        return self.city.stamp(signed_at=NOW + timedelta(hours=1))

    def unknown_critical_extension(self) -> bytes:
        return self.city.stamp(seal=self.city.make_seal(extensions=(Extension("1.2.3.4", critical=True, value=b"x"),)))

    def raw_signature_value(self) -> bytes:
        return self.city.stamp(sign=lambda data: sm2.signature_to_raw(self.city.signer.sign(data)))

    def raw_seal_signature_value(self) -> bytes:
        sign = self.city.maker.sign
        return self.city.stamp(seal=self.city.make_seal(sign=lambda data: sm2.signature_to_raw(sign(data))))

    def empty_signature_value(self) -> bytes:
        return encode_signature(self.signed.tbs_der, self.city.signer.der, b"")

    def all_zero_raw_signature_value(self) -> bytes:
        return encode_signature(self.signed.tbs_der, self.city.signer.der, bytes(64))

    def certificate_that_is_none(self) -> bytes:
        return encode_signature(self.signed.tbs_der, b"none", self.signed.signature)

    def seal_certificate_that_is_none(self) -> bytes:
        seal = read_seal(self.city.seal)
        return self.city.stamp(seal=encode_seal(seal.info_der, b"none", seal.signature))

    def another_algorithm_named(self) -> bytes:
        sm2_with_sm3 = bytes.fromhex("06082a811ccf55018375")
        head, _, tail = self.signed.der.rpartition(sm2_with_sm3)
        return head + sm2_with_sm3[:-1] + b"\x76" + tail

    def unverified_timestamp(self) -> bytes:
        return encode_signature(self.signed.tbs_der, self.city.signer.der, self.signed.signature, b"token")


@pytest.mark.parametrize("case", TAMPERED, ids=[case["change"] for case in TAMPERED])
def test_each_change_fails_the_check_it_should(city: City, case: dict[str, object]) -> None:
    tampered = Tampered(city)
    data = getattr(tampered, str(case["change"]))()
    report = judge(city, data, tampered.document)
    passing = {name for name, result in results(report).items() if result == "ok"}
    assert {name: r for name, r in results(report).items() if name not in passing | {"revocation"}} == case["not_ok"]
    assert list(report.reasons) == case["reasons"]
    assert report.exit_status == case["exit"]
    assert report.ok is (case["exit"] == 0)


def test_every_tampering_has_an_expected_verdict() -> None:
    ways = {name for name in vars(Tampered) if not name.startswith("_")}
    assert ways == {case["change"] for case in TAMPERED}


def test_the_checks_stand_in_the_order_of_the_standard(city: City) -> None:
    assert list(results(judge(city, city.stamp()))) == [
        "format", "seal_signature", "seal_maker", "seal_period", "signature", "signer_in_list", "signer_certificate",
        "integrity", "revocation",
    ]  # fmt: skip


def test_a_report_in_json_has_the_contracts_shape(city: City) -> None:
    body = judge(city, city.stamp()).as_json()
    assert json.loads(json.dumps(body)) == body
    assert body.keys() == {"ok", "format", "version", "signatures", "reasons"}
    assert (body["ok"], body["format"], body["version"], body["reasons"]) == (True, "ses_signature", 4, [])
    (entry,) = body["signatures"]
    assert entry.keys() == {"checks", "seal", "picture", "signer", "signed_at", "times", "altered", "not_covered"}
    assert entry["times"] == {"claimed": "2026-03-01T08:00:00Z", "trusted": None, "authority": None}
    assert entry["signed_at"] == "2026-03-01T08:00:00Z"
    assert entry["seal"]["name"] == entry["signer"]["name"] == "演示市行政审批服务局"


def test_without_the_document_nothing_failed_but_it_cannot_be_told(city: City) -> None:
    report = judge(city, city.stamp(), document=None)
    assert results(report)["integrity"] == "not_checked"
    assert (report.ok, report.exit_status) == (False, ExitStatus.COULD_NOT_TELL)


def test_an_unknown_root_is_its_own_answer(city: City) -> None:
    report = judge(city, city.stamp(), anchors=[])
    assert results(report)["seal_maker"] == results(report)["signer_certificate"] == "not_checked"
    assert (report.ok, report.reasons) == (False, ("certificate_untrusted",))
    assert report.exit_status is ExitStatus.COULD_NOT_TELL


def test_digests_in_place_of_certificates_name_the_signer_too(city: City) -> None:
    info = read_seal(city.seal).info
    for listed, expected in ((city.signer, "ok"), (city.stranger, "fail")):
        digest = CertificateDigest("SM3", sm2.sm3(listed.der))
        der = encode_seal_info(replace(info, certificates=(), digests=(digest,)))
        report = judge(city, city.stamp(seal=encode_seal(der, city.maker.der, city.maker.sign(der))))
        assert results(report)["signer_in_list"] == expected
        assert report.ok is (expected == "ok")


def test_a_digest_by_another_hash_names_nobody(city: City) -> None:
    info = read_seal(city.seal).info
    digest = CertificateDigest("MD5", sm2.sm3(city.signer.der))
    der = encode_seal_info(replace(info, certificates=(), digests=(digest,)))
    report = judge(city, city.stamp(seal=encode_seal(der, city.maker.der, city.maker.sign(der))))
    assert results(report)["signer_in_list"] == "fail"


def test_a_critical_false_that_is_written_out_is_noted_and_holds(city: City) -> None:
    extension = Extension("1.2.3.4", critical=False, value=b"x", explicit_false=True)
    report = judge(city, city.stamp(seal=city.make_seal(extensions=(extension,))))
    assert "DER" in report.signatures[0].checks[0].detail
    assert report.ok


def test_a_bare_seal_is_judged_now(city: City) -> None:
    report = judge(city, city.seal, None)
    assert report.format is Format.SEAL
    assert results(report) == dict.fromkeys(("format", "seal_signature", "seal_maker", "seal_period"), "ok")
    assert report.ok
    assert report.as_json()["signatures"][0].keys() == {"checks", "seal", "picture"}
    later = judge(city, city.seal, None, now=SIGNED_AT + YEAR + timedelta(days=1))
    assert results(later)["seal_period"] == "fail"
    assert (later.reasons, later.exit_status) == (("seal_not_in_force",), ExitStatus.NO)


@pytest.mark.parametrize(
    ("data", "form", "reason", "exit_status"),
    [
        (b"", Format.UNKNOWN, Reason.UNREADABLE, 2),
        (b"just a letter", Format.UNKNOWN, Reason.NOT_SEALED, 1),
        (b"0123456789", Format.UNKNOWN, Reason.NOT_SEALED, 1),
        (b"%PDF-1.7\n%%EOF", Format.PDF, Reason.NOT_SEALED, 1),
        (b"%PDF-1.7\n/ByteRange [0 1 2 3]\n%%EOF", Format.PDF, Reason.UNREADABLE, 2),
        (b"PK\x03\x04 cut short", Format.UNKNOWN, Reason.UNREADABLE, 2),
        (b"\x30\x82\x01\x00" + bytes(256), Format.UNKNOWN, Reason.UNREADABLE, 2),
        (b"\x30\x80\x00\x00", Format.UNKNOWN, Reason.UNREADABLE, 2),
        (b"\x30\x84\xff\xff\xff\xff", Format.UNKNOWN, Reason.UNREADABLE, 2),
    ],
)
def test_files_that_are_no_seal_get_a_reason(
    city: City, data: bytes, form: Format, reason: Reason, exit_status: int
) -> None:
    report = judge(city, data)
    assert (report.format, report.problems, report.exit_status) == (form, (reason,), exit_status)
    assert report.as_json() == {"ok": False, "format": str(form), "signatures": [], "reasons": [str(reason)]}


@pytest.mark.parametrize("version", [1, 6])
def test_another_version_is_named_and_not_judged(city: City, version: int) -> None:
    seal = read_seal(city.seal)
    info = encode_seal_info(replace(seal.info, version=version))
    report = judge(city, encode_seal(info, city.maker.der, city.maker.sign(info)))
    assert report.as_json()["version"] == version
    assert results(report) == {"format": "fail"}
    assert report.reasons == ("format_unknown",)
    assert not report.ok


def test_foreign_v4_seal(vectors: Path) -> None:
    report = _foreign(vectors, "UserV4.esl", None)
    assert report.format is Format.SEAL
    assert results(report)["seal_signature"] == "ok"
    assert "Test Certificate" in report.signatures[0].checks[2].detail  # traced to the root, expired today
    assert results(report)["seal_period"] == "fail"
    at_the_time = _foreign(vectors, "UserV4.esl", None, now=SIGNED_AT.replace(year=2021))
    assert (at_the_time.ok, results(at_the_time)["seal_maker"]) == (True, "notice")


def test_foreign_v4_signature_holds_and_fits_no_document(vectors: Path) -> None:
    for document in (b"", b"any", bytes(32)):
        report = _foreign(vectors, "SignedValueV4.dat", document)
        assert results(report) == {
            "format": "ok", "seal_signature": "ok", "seal_maker": "notice", "seal_period": "ok", "signature": "ok",
            "signer_in_list": "ok", "signer_certificate": "notice", "integrity": "fail", "revocation": "not_checked",
        }  # fmt: skip
        assert report.reasons == ("document_altered",)


def test_foreign_sealed_ofd(vectors: Path) -> None:
    report = _foreign(vectors, "SESV4SignDoc.ofd", None)
    (signature,) = report.signatures
    assert (signature.altered, signature.not_covered) == ((), ())
    found = results(report)
    for name in ("format", "seal_signature", "signature", "signer_in_list", "integrity", "coverage"):
        assert found[name] == "ok"
    # Sealed in 2026 by a seal and certificates of 2020 to 2022: they lead to the root, and were no longer good.
    assert report.reasons == ("certificate_expired_at_signing", "seal_not_in_force")


def test_foreign_ofd_without_its_root_cannot_be_traced(vectors: Path) -> None:
    data = (vectors / "seals" / "SESV4SignDoc.ofd").read_bytes()
    report = check_file(data, anchors=[], now=NOW.replace(year=2027))
    assert results(report)["seal_maker"] == str(Result.NOT_CHECKED)
    assert "certificate_untrusted" in report.reasons


def _foreign(vectors: Path, name: str, document: bytes | None, **changes: object) -> SealReport:
    from keys.certificates import parse_pem

    folder = vectors / "seals"
    anchors = parse_pem((folder / "ROOT.certs.pem").read_bytes())
    facts = {"anchors": anchors, "now": NOW.replace(year=2027)} | changes
    return check_file((folder / name).read_bytes(), document=document, **facts)  # type: ignore[arg-type]
