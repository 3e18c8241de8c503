import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.certificates import parse
from seals import making
from seals.authority import MAKER, ROOT, authority_of, make_authority
from seals.check import check_file
from seals.decoding import read_seal
from seals.deeds import Deed
from seals.lifecycle import State
from seals.models import Seal, SealAuthority, SealChange, TrustAnchor
from seals.register import find, listed, make, shown
from seals.verify import anchors, read_anchors
from tests.builders import STAFF_LOGIN, SYSTEM, act
from tests.unit.seals.conftest import DEPARTMENT, NAME, OTHER

NOW = datetime(2026, 6, 1, 8, 30, 15, 123456, tzinfo=UTC)
OFFICER = Caller(channel="page", person="p1", posts=frozenset({("officer", DEPARTMENT)}), **STAFF_LOGIN)
CLERK = Caller(channel="page", person="p2", posts=frozenset({("clerk", DEPARTMENT)}), **STAFF_LOGIN)
PERSON = Caller(channel="page", person="p3")
ANY_CLIENT = Caller(channel="api", client_id="any", all_departments=True)
STRANGER = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))


def made(house: House, **facts: object) -> Seal:
    def deed(call: Call) -> Seal:
        return call.session.get_one(Seal, make(call, **{"department": DEPARTMENT, **facts}))  # type: ignore[arg-type]

    return act(house, deed, now=NOW)


def refused(house: House, caller: Caller = SYSTEM, **facts: object) -> Problem:
    with pytest.raises(Problem) as caught:
        act(house, lambda call: make(call, **{"department": DEPARTMENT, **facts}), caller=caller, now=NOW)  # type: ignore[arg-type]
    return caught.value


def count(house: House, table: type) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(table)) or 0)


def test_a_seal_holds_for_every_verifier_that_knows_the_root(house: House) -> None:
    seal = made(house)
    roots = act(house, read_anchors)
    report = check_file(seal.seal_der, anchors=roots, now=NOW + timedelta(days=1))
    assert report.ok, report.as_json()
    assert not check_file(seal.seal_der, anchors=[], now=NOW).ok


def test_what_the_seal_says_of_itself(house: House) -> None:
    row = made(house, special="行政审批专用章")
    seal = read_seal(row.seal_der)
    assert (seal.info.seal_id, seal.info.name) == (row.seal_id, NAME + "行政审批专用章")
    assert row.seal_id.startswith("990100")
    assert len(row.seal_id) == 14
    assert seal.info.picture.data.startswith(b"\x89PNG")
    assert (seal.info.valid_from, seal.info.created_at) == (NOW.replace(microsecond=0),) * 2
    certificate = parse(row.signer_certificate)
    assert seal.info.certificates == (row.signer_certificate,)
    assert certificate.extensions.organization_code == DEPARTMENT
    assert certificate.common_name == NAME
    key = house.keys.seal_signer(row.seal_id).public.jwk()
    assert certificate.public_key.hex() == f"04{_hex(key['x'])}{_hex(key['y'])}"


def test_the_signer_is_certified_by_the_root_and_the_seal_made_by_the_maker(house: House) -> None:
    row = made(house)
    authority = act(house, authority_of)
    assert read_seal(row.seal_der).maker_certificate == authority.maker.certificate.der
    assert parse(row.signer_certificate).issuer == authority.root.certificate.subject
    assert authority.root.certificate.is_ca
    assert not authority.maker.certificate.is_ca


def test_it_is_recorded_once(house: House) -> None:
    row = made(house)

    def read(call: Call) -> tuple[list[SealChange], list[AuditEntry]]:
        changes = call.session.scalars(select(SealChange).where(SealChange.seal_id == row.seal_id)).all()
        entries = call.session.scalars(select(AuditEntry).where(AuditEntry.deed == Deed.MADE)).all()
        return list(changes), [entry for entry in entries if json.loads(entry.facts)["seal"] == row.seal_id]

    changes, entries = act(house, read)
    assert [(line.change, line.state, line.actor) for line in changes] == [("make", "in_force", "client:test")]
    assert len(entries) == 1


def test_a_seal_may_begin_later(house: House) -> None:
    later = NOW + timedelta(days=30)
    row = made(house, valid_from=later, valid_until=later + timedelta(days=10))
    assert act(house, lambda call: shown(call, row)["state"], now=NOW) is State.NOT_YET_VALID
    assert act(house, lambda call: shown(call, row)["state"], now=later) is State.IN_FORCE
    assert act(house, lambda call: shown(call, row)["state"], now=later + timedelta(days=11)) is State.EXPIRED


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"valid_from": NOW - timedelta(seconds=2)}, "/valid_from"),
        ({"valid_from": datetime(1, 1, 1, tzinfo=UTC)}, "/valid_from"),
        ({"valid_from": datetime(9999, 12, 31, 23, tzinfo=UTC)}, "/valid_from"),
        ({"valid_until": NOW}, "/valid_until"),
        ({"valid_until": datetime(9999, 12, 31, 23, tzinfo=UTC)}, "/valid_until"),
        ({"valid_until": NOW + timedelta(days=16 * 365)}, "/valid_until"),  # past the maker's own certificate
        ({"department": "11990000MB0000009X"}, "/department"),
        ({"special": "公安局"}, "/special"),
        ({"special": "专用章\n"}, "/special"),
    ],
)
def test_facts_that_make_no_seal_are_named(house: House, facts: dict[str, object], pointer: str) -> None:
    problem = refused(house, **facts)
    assert problem.code == "invalid"
    assert [error.pointer for error in problem.errors] == [pointer]


@pytest.mark.parametrize(
    "special", ["长" * 10 + "专用章", "演 示专用章", "\x00专用章", "\U0001f600专用章", "\ud800\ud800专用章"]
)
def test_a_line_that_cannot_stand_on_a_seal(house: House, special: str) -> None:
    before = len(house.keys.list())
    assert refused(house, special=special).code == "seal_impossible"
    assert len(house.keys.list()) == before  # found out before a key was made


def test_without_the_font_it_says_what_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "FONT", making.FONT.with_name("missing.ttf"))
    problem = refused(house)
    assert problem.code == "unavailable"
    assert "make dev" in problem.detail


@pytest.mark.parametrize(
    "caller", [STRANGER, CLERK, PERSON, OFFICER, ANY_CLIENT], ids=["stranger", "clerk", "person", "officer", "client"]
)
def test_only_the_operator_makes_one_without_an_application(house: House, caller: Caller) -> None:
    before = count(house, Seal)
    assert refused(house, caller).code == "forbidden"
    assert count(house, Seal) == before


def test_a_rehearsal_that_fails_stores_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = count(house, Seal)
    monkeypatch.setattr("seals.verify.read_anchors", lambda _call: ())
    problem = refused(house)
    assert problem.code == "seal_rehearsal_failed"
    assert "certificate_untrusted" in problem.detail
    assert count(house, Seal) == before


def test_numbers_differ_and_avoid_those_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(house)
    drawn = iter([int(first.seal_id[6:]), 7])
    monkeypatch.setattr(making, "secrets", SimpleNamespace(randbelow=lambda _limit: next(drawn)))
    assert made(house).seal_id == "99010000000007"


def test_find(house: House) -> None:
    row = made(house)
    assert act(house, lambda call: find(call, row.seal_id).seal_id, caller=OFFICER) == row.seal_id
    with pytest.raises(Problem, match="forbidden"):
        act(house, lambda call: find(call, row.seal_id), caller=STRANGER)


@pytest.mark.parametrize(
    "number", ["", "x", "99010000000000", "9" * 15, "\x00" * 14, "９９０１００００００００００", "99010000000000\n"]
)
def test_a_number_that_is_no_seals(house: House, number: str) -> None:
    with pytest.raises(Problem, match="not_found"):
        act(house, lambda call: find(call, number))


def test_the_list_is_paged_and_shows_only_what_the_caller_may_use(house: House) -> None:
    for _ in range(3):
        made(house)
    made(house, department=OTHER)
    whole = act(house, lambda call: listed(call, limit=200))
    own = act(house, lambda call: listed(call, limit=200), caller=OFFICER)
    assert {item["department"] for item in whole["items"]} == {DEPARTMENT, OTHER}
    assert {item["department"] for item in own["items"]} == {DEPARTMENT}
    assert own["next_cursor"] is None
    pages, cursor = [], None
    while True:
        page = act(house, lambda call, cursor=cursor: listed(call, limit=2, cursor=cursor))
        pages += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [item["id"] for item in pages] == [item["id"] for item in whole["items"]]


def test_the_authority_is_set_up_once(house: House) -> None:
    before = act(house, authority_of)
    again = act(house, make_authority)
    assert again.root.certificate == before.root.certificate
    assert count(house, SealAuthority) == 4, "two roots, a maker, a time stamper"
    assert count(house, TrustAnchor) == 2
    assert sorted(key.name for key in house.keys.list() if key.name in {ROOT, MAKER}) == [MAKER, ROOT]


def test_the_root_is_trusted_by_every_reader_of_the_register(house: House) -> None:
    found = act(house, authority_of)
    assert found.document_root is not None
    assert set(act(house, anchors)) == {found.root.certificate, found.document_root.certificate}


def _hex(text: str) -> str:
    from keys.base64url import unb64u

    return unb64u(text).hex()
