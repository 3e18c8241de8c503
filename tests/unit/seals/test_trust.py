"""Who may make seals, and who was revoked: a certificate under a trusted root is not enough."""

from datetime import timedelta

import pytest

from keys.certificates import Certificate, RevocationList
from keys.certificates.crl import issue_list, parse_list
from seals.check import check_file
from seals.report import SealReport
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, City, Party

DAY = timedelta(days=1)


def results(report: SealReport) -> dict[str, str]:
    (signature,) = report.signatures
    return {check.name: str(check.result) for check in signature.checks}


def judge(
    city: City,
    data: bytes,
    *,
    makers: list[Certificate] | None = None,
    lists: list[RevocationList] | None = None,
    anchors: list[Certificate] | None = None,
) -> SealReport:
    anchors = city.anchors if anchors is None else anchors
    return check_file(data, document=DOCUMENT, anchors=anchors, makers=makers, lists=lists or [], now=NOW)


def list_of(by: Party, *revoked: tuple[Party, int, str]) -> RevocationList:
    """Revoke parties so many days after SIGNED_AT, in a list of NOW."""
    entries = [(party.certificate.serial, SIGNED_AT + days * DAY, reason) for party, days, reason in revoked]
    der = issue_list(
        issuer=by.certificate, sign=by.sign, number=1, this_update=NOW - DAY, next_update=NOW + DAY, revoked=entries
    )
    return parse_list(der)


@pytest.fixture
def town() -> City:
    """A city whose root may sign lists too; its certificates say nothing of lists otherwise."""
    from keys.certificates import KeyUsage

    class Town(City):
        def party(self, name: str, *, ca: bool = False, **facts: object) -> Party:  # type: ignore[override]
            if ca:
                facts["key_usage"] = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})
            return super().party(name, ca=ca, **facts)  # type: ignore[arg-type]

    return Town()


# -- makers -----------------------------------------------------------------------------------------------------------


def test_a_permitted_maker_makes_seals(city: City) -> None:
    report = judge(city, city.stamp(), makers=[city.maker.certificate])
    assert (report.ok, results(report)["seal_maker"]) == (True, "ok")


def test_whoever_is_no_permitted_maker_makes_none_however_good_his_certificate(city: City) -> None:
    """A department's own signer makes itself a seal: the same root certifies it, and everything else holds."""
    forged = city.make_seal(maker=city.stranger, signers=(city.stranger,))
    sealed = city.stamp(seal=forged, signer=city.stranger)
    assert judge(city, sealed).ok, "who is told roots alone cannot know"
    report = judge(city, sealed, makers=[city.maker.certificate])
    assert (report.ok, results(report)["seal_maker"], report.reasons) == (False, "fail", ("certificate_untrusted",))
    assert [name for name, result in results(report).items() if result == "fail"] == ["seal_maker"]
    assert not judge(city, forged, makers=[city.maker.certificate]).ok, "nor is the bare seal one"


def test_under_a_root_without_makers_the_answer_says_so(city: City) -> None:
    other = City()
    for makers in ([], [other.maker.certificate]):
        report = judge(city, city.stamp(), makers=makers)
        assert (report.ok, results(report)["seal_maker"]) == (True, "notice")


def test_a_maker_by_name_alone_is_none(city: City) -> None:
    """The same name and another key."""
    namesake = city.party("演示制章中心", serial=99, issuer=city.root)
    report = judge(city, city.stamp(), makers=[namesake.certificate])
    assert results(report)["seal_maker"] == "fail"


def test_a_renewed_certificate_of_the_same_maker_is_his(city: City) -> None:
    from keys.certificates import KeyUsage, issue, parse

    renewed = issue(
        subject=[("C", "CN"), ("O", "演示市"), ("CN", "演示制章中心")], public_key=city.maker.certificate.public_key,
        issuer=city.root.certificate, sign=city.root.sign, serial=77, not_before=SIGNED_AT, not_after=SIGNED_AT + DAY,
        ca=False, key_usage={KeyUsage.DIGITAL_SIGNATURE},
    )  # fmt: skip
    assert results(judge(city, city.stamp(), makers=[parse(renewed)]))["seal_maker"] == "ok"


# -- revocation -------------------------------------------------------------------------------------------------------


def test_without_lists_revocation_is_not_checked(city: City) -> None:
    report = judge(city, city.stamp())
    assert (results(report)["revocation"], report.ok) == ("not_checked", True)


def test_a_list_that_names_nobody_answers_ok(town: City) -> None:
    report = judge(town, town.stamp(), lists=[list_of(town.root)])
    assert (results(report)["revocation"], report.ok) == ("ok", True)


@pytest.mark.parametrize("who", ["signer", "maker"])
@pytest.mark.parametrize(
    ("days", "result", "ok"),
    [(-10, "fail", False), (0, "fail", False), (1, "notice", True)],
    ids=["before", "at", "after"],
)
def test_revoked_before_or_after_the_sealing(town: City, who: str, days: int, result: str, ok: bool) -> None:
    report = judge(town, town.stamp(), lists=[list_of(town.root, (getattr(town, who), days, "keyCompromise"))])
    assert (results(report)["revocation"], report.ok) == (result, ok)
    assert report.reasons == (() if ok else ("key_revoked",))


def test_a_list_by_somebody_else_revokes_nobody(town: City) -> None:
    forged = list_of(Party(town.stranger.private, town.stranger.der), (town.signer, -1, "keyCompromise"))
    assert results(judge(town, town.stamp(), lists=[forged]))["revocation"] == "not_checked"


def test_the_maker_of_a_version_5_seal_is_judged_as_of_its_making(town: City) -> None:
    seal = writer(town, 5).signature()
    revoked = list_of(town.root, (town.maker, 0, "superseded"))
    report = judge(town, seal, lists=[revoked])
    assert (results(report)["revocation"], report.ok) == ("notice", True)
    assert results(judge(town, writer(town, 4).signature(), lists=[revoked]))["revocation"] == "fail"


def test_a_bare_seal_is_judged_now(town: City) -> None:
    lists = [list_of(town.root, (town.maker, 5, "cessationOfOperation"))]
    report = judge(town, town.seal, lists=lists)
    assert (results(report)["revocation"], report.ok) == ("fail", False)
    assert results(judge(town, town.seal, lists=[list_of(town.root)]))["revocation"] == "ok"
