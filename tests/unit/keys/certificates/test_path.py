import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from keys.certificates import KeyUsage, PathReport, parse, parse_pem, verify_path
from keys.certificates import certificate as certificate_module
from keys.certificates.path import MAX_PATH, MAX_SIGNATURE_CHECKS
from keys.verdict import Reason, Result
from tests.unit.keys.certificates.authority import AT, BEGIN, CERTIFIES, END, Party, certify, root
from tests.unit.keys.certificates.test_certificate import foreign_seals

TOP = root()
MIDDLE = TOP.issues("演示二级", ca=True, key_usage=CERTIFIES)
SIGNER = MIDDLE.issues("签章人")


def verdict(
    leaf: Party, others: list[Party], anchors: list[Party], *, at: datetime = AT, now: datetime | None = None
) -> PathReport:
    return verify_path(
        leaf.certificate,
        [other.certificate for other in others],
        [anchor.certificate for anchor in anchors],
        at=at,
        now=now,
    )


def check(report: PathReport, name: str) -> tuple[Result, Reason | None]:
    (found,) = [one for one in report.checks if one.name == name]
    return found.result, found.reason


def test_a_good_path() -> None:
    report = verdict(SIGNER, [MIDDLE], [TOP], now=AT)
    assert report.result is Result.OK
    assert report.reasons == []
    assert [one.name for one in report.checks] == ["chain", "validity", "key_usage", "constraints"]
    assert report.path == (SIGNER.certificate, MIDDLE.certificate, TOP.certificate)
    assert report.as_check("signer_certificate").as_json() == {"name": "signer_certificate", "result": "ok"}


def test_the_order_and_surplus_of_intermediates_do_not_matter() -> None:
    stranger = root("别的根")
    report = verdict(SIGNER, [stranger, SIGNER, TOP, MIDDLE, MIDDLE], [stranger, TOP])
    assert report.result is Result.OK


def test_an_unknown_root_is_not_checked() -> None:
    for anchors in ([], [root("别的根")]):
        report = verdict(SIGNER, [MIDDLE, TOP], anchors)
        assert [one.name for one in report.checks] == ["chain"]
        assert check(report, "chain") == (Result.NOT_CHECKED, Reason.CERTIFICATE_UNTRUSTED)
        assert report.path == ()


def test_a_missing_intermediate_is_not_checked() -> None:
    assert check(verdict(SIGNER, [], [TOP]), "chain") == (Result.NOT_CHECKED, Reason.CERTIFICATE_UNTRUSTED)


def test_a_self_signed_stranger_is_not_checked() -> None:
    assert verdict(certify("自签"), [], [TOP]).result is Result.NOT_CHECKED


def test_an_unknown_root_hides_expiry() -> None:
    """Dates that nobody vouches for say nothing."""
    assert verdict(SIGNER, [MIDDLE], [], at=END + timedelta(days=1)).result is Result.NOT_CHECKED


def test_a_forged_certificate_fails() -> None:
    signature = SIGNER.certificate.signature
    forged = dataclasses.replace(SIGNER.certificate, tbs=SIGNER.certificate.tbs[:-1] + b"?", signature=signature)
    report = verify_path(forged, [MIDDLE.certificate], [TOP.certificate], at=AT)
    assert check(report, "chain") == (Result.FAIL, Reason.CERTIFICATE_UNTRUSTED)


def test_a_forged_intermediate_fails() -> None:
    fake_top = root()
    fake_middle = fake_top.issues("演示二级", ca=True, key_usage=CERTIFIES)
    # the same names throughout, and the true root's key identifier in the forged certificate
    old, new = (party.certificate.extensions.subject_key_id for party in (fake_top, TOP))
    assert old is not None
    assert new is not None
    fake = parse(fake_middle.certificate.der.replace(old, new))
    signer = fake_middle.issues("签章人").certificate
    report = verify_path(signer, [fake], [TOP.certificate], at=AT)
    assert check(report, "chain") == (Result.FAIL, Reason.CERTIFICATE_UNTRUSTED)


def test_a_root_of_the_same_name_with_another_key_is_unknown() -> None:
    report = verdict(SIGNER, [MIDDLE], [root()])
    assert check(report, "chain") == (Result.NOT_CHECKED, Reason.CERTIFICATE_UNTRUSTED)


def test_the_right_one_of_two_roots_with_one_name_is_found() -> None:
    assert verdict(SIGNER, [MIDDLE], [root(), TOP, root()]).result is Result.OK


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (BEGIN, (Result.OK, None)),
        (END, (Result.OK, None)),
        (END + timedelta(seconds=1), (Result.FAIL, Reason.CERTIFICATE_EXPIRED_AT_SIGNING)),
        (BEGIN - timedelta(seconds=1), (Result.FAIL, Reason.NOT_YET_VALID)),
    ],
    ids=["first second", "last second", "expired", "not yet valid"],
)
def test_validity_at_signing_time(at: datetime, expected: tuple[Result, Reason | None]) -> None:
    long = root(not_before=BEGIN - timedelta(days=900), not_after=END + timedelta(days=900))
    assert check(verdict(long.issues("签章人"), [], [long], at=at), "validity") == expected


def test_a_path_that_was_found_before_is_judged_anew_each_time() -> None:
    """What is remembered of a path says nothing about the instant, nor about other roots."""
    for at, expected in ((AT, Result.OK), (END + timedelta(days=1), Result.FAIL), (AT, Result.OK)):
        assert verdict(SIGNER, [MIDDLE], [TOP], at=at).result is expected
    assert verdict(SIGNER, [MIDDLE], [root("别的根")]).result is Result.NOT_CHECKED
    assert verdict(SIGNER, [], [TOP]).result is Result.NOT_CHECKED
    assert verdict(SIGNER, [MIDDLE], [TOP], at=AT, now=END + timedelta(days=1)).result is Result.NOTICE


def test_an_expired_intermediate_fails() -> None:
    middle = TOP.issues("短命二级", ca=True, key_usage=CERTIFIES, not_after=AT - timedelta(days=1))
    report = verdict(middle.issues("签章人"), [middle], [TOP])
    assert check(report, "validity") == (Result.FAIL, Reason.CERTIFICATE_EXPIRED_AT_SIGNING)


def test_expired_since_is_a_notice() -> None:
    signer = TOP.issues("短命", not_after=AT + timedelta(days=1))
    assert verdict(signer, [], [TOP], now=AT + timedelta(hours=1)).result is Result.OK
    report = verdict(signer, [], [TOP], now=AT + timedelta(days=2))
    assert check(report, "validity") == (Result.NOTICE, None)
    assert report.reasons == []


def test_an_anchor_outside_its_own_dates_is_a_notice() -> None:
    old = root(not_after=AT - timedelta(days=1))
    assert check(verdict(old.issues("签章人"), [], [old]), "validity") == (Result.NOTICE, None)


@pytest.mark.parametrize("usage", [KeyUsage.KEY_ENCIPHERMENT, KeyUsage.KEY_CERT_SIGN, KeyUsage.KEY_AGREEMENT])
def test_a_key_not_meant_for_signing_fails(usage: KeyUsage) -> None:
    report = verdict(TOP.issues("加密", key_usage=[usage]), [], [TOP])
    assert check(report, "key_usage") == (Result.FAIL, Reason.CERTIFICATE_UNTRUSTED)


@pytest.mark.parametrize("usage", [KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION])
def test_either_signing_usage_will_do(usage: KeyUsage) -> None:
    assert verdict(TOP.issues("签章人", key_usage=[usage]), [], [TOP]).result is Result.OK


def without_extensions(party: Party) -> Party:
    bare = dataclasses.replace(party.certificate, extensions=certificate_module.Extensions())
    return dataclasses.replace(party, certificate=bare)


def test_no_stated_key_usage_is_a_notice() -> None:
    assert check(verdict(without_extensions(TOP.issues("无用途")), [], [TOP]), "key_usage") == (Result.NOTICE, None)


def test_a_signer_cannot_certify_another() -> None:
    rogue = SIGNER.issues("冒名")
    report = verdict(rogue, [SIGNER, MIDDLE], [TOP])
    assert check(report, "constraints") == (Result.FAIL, Reason.CERTIFICATE_UNTRUSTED)


def test_an_authority_without_the_usage_cannot_certify() -> None:
    middle = TOP.issues("无权二级", ca=True, key_usage=[KeyUsage.CRL_SIGN])
    assert check(verdict(middle.issues("签章人"), [middle], [TOP]), "constraints")[0] is Result.FAIL


def test_an_intermediate_without_extensions_cannot_certify() -> None:
    assert check(verdict(SIGNER, [without_extensions(MIDDLE)], [TOP]), "constraints")[0] is Result.FAIL


def test_path_length_is_kept() -> None:
    first = TOP.issues("一级", ca=True, key_usage=CERTIFIES, path_length=0)
    assert verdict(first.issues("签章人"), [first], [TOP]).result is Result.OK
    second = first.issues("二级", ca=True, key_usage=CERTIFIES)
    assert check(verdict(second.issues("签章人"), [first, second], [TOP]), "constraints")[0] is Result.FAIL


def test_what_an_anchor_lacks_is_a_notice() -> None:
    anchor = without_extensions(TOP)
    report = verdict(SIGNER, [MIDDLE], [anchor])
    assert check(report, "constraints") == (Result.NOTICE, None)
    assert report.result is Result.NOTICE


def test_a_leaf_may_itself_be_the_anchor() -> None:
    alone = certify("独立签章人")
    report = verdict(alone, [], [alone])
    assert report.result is Result.OK
    assert report.path == (alone.certificate,)
    late = verdict(alone, [], [alone], at=END + timedelta(days=1))
    assert check(late, "validity")[0] is Result.FAIL


def test_an_unknown_critical_extension_fails() -> None:
    inside = SIGNER.certificate
    extensions = dataclasses.replace(inside.extensions, unknown_critical=("2.5.29.30",))  # name constraints
    report = verify_path(
        dataclasses.replace(inside, extensions=extensions), [MIDDLE.certificate], [TOP.certificate], at=AT
    )
    assert check(report, "constraints") == (Result.FAIL, Reason.CERTIFICATE_UNTRUSTED)


def test_the_longest_path() -> None:
    chain = [TOP]
    while len(chain) < MAX_PATH:
        chain.append(chain[-1].issues(f"第{len(chain)}级", ca=True, key_usage=[*CERTIFIES, KeyUsage.DIGITAL_SIGNATURE]))
    assert verdict(chain[-1], chain[1:-1], [TOP]).result is Result.OK
    assert verdict(chain[-1].issues("签章人"), chain[1:], [TOP]).result is Result.NOT_CHECKED


def test_circles_end() -> None:
    key_a, key_b = root("甲"), root("乙")
    a_by_b = certify("甲", key_b, keys=(key_a.private, key_a.certificate.public_key), ca=True, key_usage=CERTIFIES)
    b_by_a = certify("乙", key_a, keys=(key_b.private, key_b.certificate.public_key), ca=True, key_usage=CERTIFIES)
    report = verdict(a_by_b.issues("签章人"), [a_by_b, b_by_a, key_a, key_b], [TOP])
    assert report.result is Result.NOT_CHECKED


def test_the_better_of_two_paths_is_reported() -> None:
    expired = TOP.issues("双证二级", ca=True, key_usage=CERTIFIES, not_after=AT - timedelta(days=1))
    keys = (expired.private, expired.certificate.public_key)
    renewed = certify("双证二级", TOP, keys=keys, ca=True, key_usage=CERTIFIES)
    signer = expired.issues("签章人")
    assert verdict(signer, [expired], [TOP]).result is Result.FAIL
    for order in ([expired, renewed], [renewed, expired]):
        assert verdict(signer, order, [TOP]).result is Result.OK


def test_many_certificates_of_one_name_do_not_keep_the_verifier_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr("keys.certificates.path.is_signed_by", lambda *pair: tried.append(pair))
    decoys = [dataclasses.replace(MIDDLE.certificate, spki=str(number).encode()) for number in range(500)]
    verify_path(SIGNER.certificate, decoys, [TOP.certificate], at=AT)
    assert len(tried) == MAX_SIGNATURE_CHECKS


def test_the_foreign_certificates_lead_to_their_root() -> None:
    folder = foreign_seals()
    top, maker, user = (parse_pem((folder / f"{n}.certs.pem").read_bytes())[0] for n in ("ROOT", "SealBuilder", "USER"))
    then, today = datetime(2020, 6, 1, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    for leaf in (maker, user):
        report = verify_path(leaf, [maker, user], [top], at=then, now=today)
        assert report.result is Result.NOTICE  # expired since; the root does not state keyCertSign
        assert check(report, "constraints")[0] is Result.NOTICE
        late = verify_path(leaf, [], [top], at=today)
        assert late.reasons == ["certificate_expired_at_signing"]
        assert verify_path(leaf, [maker, user], [], at=then).reasons == ["certificate_untrusted"]
        broken = leaf.der[:-1] + bytes([leaf.der[-1] ^ 1])
        assert verify_path(parse(broken), [], [top], at=then).result is Result.FAIL


def test_a_report_folds_into_one_check() -> None:
    signer = TOP.issues("短命", not_after=AT - timedelta(days=1), key_usage=[KeyUsage.KEY_AGREEMENT])
    folded = verdict(signer, [], [TOP]).as_check("seal_maker")
    assert (folded.name, folded.result) == ("seal_maker", Result.FAIL)
    assert folded.reason is Reason.CERTIFICATE_EXPIRED_AT_SIGNING
    assert "had expired" in folded.detail
    assert "not meant for signing" in folded.detail
