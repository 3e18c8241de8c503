"""Offline verification: every answer comes from the bundle and the lists, with the reasons of an online one."""

import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys.signer import Algorithm, Signer, generate_private, load_private
from keys.verdict import Reason
from licences.definition_file import shipped_types
from licences.formats import key_binding, lc1, lc1_text, sdjwt
from licences.offline.report import OfflineReport
from licences.offline.verify import Relied, verify
from licences.status.edition import Edition
from licences.status.token_list import StatusListError
from tests.unit.licences.formats.papers import ISSUED_AT, SIGNER, paper_of
from tests.unit.licences.status.lists import ISSUER, SIGNED_AT
from tests.unit.licences.trust import bundles
from tests.unit.licences.trust.bundles import DAY

ROOT = Path(__file__).parents[4]
NOW = datetime.fromtimestamp(SIGNED_AT + 60, UTC)
KIND = next(kind for kind in shipped_types() if kind.slug == "business_licence")
STRANGER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
PLACE, SUSPENDED, REVOKED = 100, 200, 300
ENTRIES = [(SUSPENDED, 2), (REVOKED, 1), (400, 3)]


def token(*, moment: int = SIGNED_AT, entries: list[tuple[int, int]] = ENTRIES, signer: Signer = SIGNER) -> str:
    return Edition(ISSUER, 0, entries, moment).tokens(signer)["0/jwt"].decode()


def relied(*tokens: str, listed: bool = True, **changes: Any) -> Relied:
    layout = lc1.template(KIND)
    fields = [{"name": f.name, "title": f.title, "title_en": f.title_en, "type": str(f.type)} for f in layout.fields]
    template = {"id": layout.identifier.hex(), "type": KIND.code, "name": KIND.name, "name_en": "", "fields": fields}
    body = bundles.body(*([token()] if listed else []), templates=[template])
    return Relied.on(bundles.read({**body, **changes}), tokens)


def paper(place: int | None = PLACE, *, signer: Signer = SIGNER, issued_at: datetime = ISSUED_AT, **more: Any) -> str:
    made = lc1.make(paper_of(KIND, **more), lc1.template(KIND), issued_at=issued_at, signer=signer, status=place)
    return lc1_text.to_base45(made)


def credential(
    place: int | None = PLACE,
    *,
    signer: Signer = SIGNER,
    until: str = "",
    expires_at: datetime | None = None,
    **more: Any,
) -> str:
    status = {} if place is None else {"status": {"status_list": {"idx": place, "uri": f"{ISSUER}/status/0"}}}
    claims = {"licence_name": "证", "face_x": "内容", "valid_from": "2026-01-05", "valid_until": until} | status | more
    made = sdjwt.build(
        claims,
        ["face_x"],
        issuer=ISSUER,
        vct=f"{ISSUER}/credentials/x",
        kid=signer.kid,
        seed=bytes(32),
        issued_at=ISSUED_AT,
        expires_at=expires_at,
    )
    return sdjwt.sign(made, signer)


def told(report: OfflineReport) -> tuple[bool, list[str], str | None]:
    return report.ok, report.reasons, report.state


def test_what_is_genuine_and_in_force_holds_and_says_what_it_is() -> None:
    for text in (paper(), credential()):
        report = verify(text, relied(), now=NOW)
        assert told(report) == (True, [], "valid")
        assert report.exit_status == 0
        assert report.ages == {f"{ISSUER}/status/0": 60, "bundle": 60}
        assert {check.name for check in report.checks} >= {"credential", "state", "status", "bundle"}
    said = verify(paper(), relied(), now=NOW).as_json()["licence"]
    assert said["licence_name"] == KIND.name
    stated = paper_of(KIND).surface
    assert {name: said[f"face_{name}"] for name in (f.name for f in lc1.template(KIND).fields)} == {
        name: stated[name] for name in (f.name for f in lc1.template(KIND).fields)
    }
    assert verify(credential(), relied(), now=NOW).as_json()["licence"]["face_x"] == "内容"
    assert verify(lc1_text.to_address(lc1.read(paper()).content, ISSUER), relied(), now=NOW).ok


def test_what_the_lists_say_is_said() -> None:
    for make in (paper, credential):
        for place, reason in ((SUSPENDED, "suspended"), (REVOKED, "revoked")):
            report = verify(make(place), relied(), now=NOW)
            assert told(report) == (False, [reason], reason), (make, place)
            assert report.exit_status == 1
        for place in (None, 5 * 2**20 + 1):  # none named, or none at hand
            text = make(place) if make is paper else credential(None)
            report = verify(text, relied(), now=NOW)
            assert (report.ok, report.reasons, report.exit_status) == (False, ["status_stale"], 2), (make, place)
        assert verify(make(400), relied(), now=NOW).reasons == ["format_unknown"]  # a status nobody has defined
    assert verify(credential(2**20), relied(), now=NOW).reasons == ["format_unknown"]


def test_a_wallets_copy_ends_by_itself_and_holds_for_nobody_without_proof() -> None:
    bound = {"cnf": key_binding.confirmation(STRANGER.public.jwk())}
    cases: list[tuple[str, list[str]]] = [
        (credential(expires_at=NOW + timedelta(seconds=1)), []),
        (credential(expires_at=NOW), ["expired"]),
        (credential(expires_at=NOW - timedelta(days=100)), ["expired"]),
        (credential(nbf=int(NOW.timestamp()) + 299), []),
        (credential(nbf=int(NOW.timestamp()) + 301), ["not_yet_valid"]),
        (credential(**bound), ["holder_unproven"]),
        (credential(expires_at=NOW, **bound), ["expired", "holder_unproven"]),
        (credential(REVOKED, expires_at=NOW, **bound), ["expired", "holder_unproven", "revoked"]),
    ]
    for number, (text, reasons) in enumerate(cases):
        report = verify(text, relied(), now=NOW)
        assert (report.ok, report.reasons) == (not reasons, reasons), number
    assert verify(credential(**bound), relied(), now=NOW).exit_status == 2, "nothing failed, and it could not be told"


def test_a_newer_list_counts_and_an_older_one_does_not() -> None:
    newer, older = (
        token(moment=SIGNED_AT + 30, entries=[(PLACE, 1)]),
        token(moment=SIGNED_AT - 30, entries=[(PLACE, 1)]),
    )
    assert verify(paper(), relied(newer), now=NOW).reasons == ["revoked"]
    assert verify(paper(), relied(older), now=NOW).ok
    with pytest.raises(StatusListError, match="unknown_key"):
        relied(token(signer=STRANGER))


def test_old_lists_and_bundles_are_noticed() -> None:
    day_later, after_three, after_seven = (NOW + timedelta(days=days) for days in (1, 3, 7))
    noticed = verify(paper(), relied(), now=day_later)
    assert noticed.ok
    assert ("status", "notice") in {(check.name, check.result) for check in noticed.checks}
    assert verify(paper(), relied(), now=after_three).reasons == ["status_stale"]
    assert verify(paper(REVOKED), relied(), now=after_three).reasons == ["revoked"]  # what has ended stays so
    assert verify(paper(SUSPENDED), relied(), now=after_three).reasons == ["status_stale"]
    fresh = relied(token(moment=SIGNED_AT + 7 * DAY))
    old = verify(paper(), fresh, now=after_seven)
    assert (old.reasons, [check.name for check in old.checks if check.reason]) == (["status_stale"], ["bundle"])


def test_a_wrong_clock_is_no_fraud() -> None:
    slow = datetime.fromtimestamp(SIGNED_AT, UTC)
    assert verify(paper(), relied(), now=slow - timedelta(minutes=4)).ok
    for text in (paper(), credential()):
        report = verify(text, relied(), now=slow - timedelta(minutes=6))
        assert (report.reasons, report.exit_status) == (["clock_wrong"], 2)
    ahead = verify(paper(issued_at=NOW + timedelta(minutes=6)), relied(), now=NOW)
    assert ahead.reasons == ["clock_wrong"]


def test_the_calendar_is_china_s() -> None:
    last = date(2026, 9, 21)
    at_noon = datetime(2026, 9, 21, 15, 59, tzinfo=UTC)  # one minute to midnight in China
    lists = relied(token(moment=int(at_noon.timestamp())), listed=False)
    for text in (paper(valid_until=last), credential(until=last.isoformat())):
        assert "expired" not in verify(text, lists, now=at_noon).reasons
        assert "expired" in verify(text, lists, now=at_noon + timedelta(minutes=1)).reasons
    early = verify(paper(valid_from=date(2027, 1, 1)), relied(), now=NOW)
    assert told(early) == (False, ["not_yet_valid"], "not_yet_valid")


def test_what_is_not_ours_or_not_readable_is_refused_by_name() -> None:
    by_stranger = bundles.body(token())
    revoked = {**by_stranger, "revoked_keys": [{"kid": STRANGER.kid, "use": "licence"}]}
    cases: list[tuple[str, Relied, Reason]] = [
        ("", relied(), Reason.UNREADABLE),
        ("x" * 65_537, relied(), Reason.UNREADABLE),
        ("1.2.156.3005.2.x", relied(), Reason.FORMAT_UNKNOWN),
        ("eyJ~", relied(), Reason.UNREADABLE),
        ("LC1:%%%", relied(), Reason.UNREADABLE),
        ("LC2:" + paper()[4:], relied(), Reason.DICTIONARY_UNKNOWN),
        (paper(), relied(dictionaries=[]), Reason.DICTIONARY_UNKNOWN),
        (paper(signer=STRANGER), relied(), Reason.ISSUER_UNKNOWN),
        (credential(signer=STRANGER), relied(), Reason.ISSUER_UNKNOWN),
        (paper(signer=STRANGER), Relied.on(bundles.read(revoked)), Reason.KEY_REVOKED),
        (credential(signer=STRANGER), Relied.on(bundles.read(revoked)), Reason.KEY_REVOKED),
        (credential(valid_until=7), relied(), Reason.FORMAT_UNKNOWN),
        (credential(None, status={"status_list": "0"}), relied(), Reason.FORMAT_UNKNOWN),
    ]
    for number, (text, lists, reason) in enumerate(cases):
        report = verify(text, lists, now=NOW)
        assert (report.ok, report.reasons[:1]) == (False, [reason]), number
        assert report.exit_status in {1, 2}


def test_a_template_the_bundle_does_not_know_is_a_notice() -> None:
    report = verify(paper(), relied(templates=[]), now=NOW)
    assert report.ok
    assert ("template", "notice") in {(check.name, check.result) for check in report.checks}
    assert "licence_type" not in report.as_json()["licence"]


def test_an_end_beyond_the_calendar_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lc1, "_end_of", lambda _day: 253_402_300_799)
    report = verify(paper(valid_until=date(2026, 9, 21)), relied(), now=NOW)
    assert report.reasons == ["format_unknown"]


def test_an_address_of_another_site_is_a_notice() -> None:
    elsewhere = lc1_text.to_address(lc1.read(paper()).content, "https://elsewhere.example")
    report = verify(elsewhere, relied(), now=NOW)
    assert report.ok
    assert ("credential", "notice") in {(check.name, check.result) for check in report.checks}


def no_mutant_holds(count: int) -> None:
    """Change, drop or double one character of a paper code and of a credential: none holds, none crashes the reader."""
    chance, lists = random.Random(2), relied()
    for genuine in (paper(), credential()):
        alphabet = [*sorted(set(genuine)), "~", ".", "=", "é", "\0"]
        for number in range(count):
            place = chance.randrange(len(genuine))
            piece = chance.choice(alphabet) * chance.choice((0, 1, 1, 1, 2))
            mutant = genuine[:place] + piece + genuine[place + 1 :]
            if mutant.strip() != genuine:
                assert not verify(mutant, lists, now=NOW).ok, (number, place, mutant)


def test_no_mutant_holds() -> None:
    no_mutant_holds(400)


@pytest.mark.soak
def test_no_mutant_holds_ever() -> None:
    no_mutant_holds(100_000)


def test_a_bundle_without_a_pin_is_a_notice() -> None:
    unpinned = bundles.bundle.read(bundles.text(bundles.body(token())), pins=None)
    report = verify(credential(), Relied.on(unpinned), now=NOW)
    assert report.ok
    assert ("bundle", "notice") in {(check.name, check.result) for check in report.checks}


def test_the_library_needs_neither_flask_nor_a_database() -> None:
    heavy = ("flask", "sqlalchemy", "marshmallow", "alembic", "redis")
    program = f"import sys, licences.offline.verify; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
