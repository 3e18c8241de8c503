from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.sm2 import sm3
from seals.check import check_file
from seals.models import SealUse
from seals.position import Position
from seals.register import make
from seals.use import Used, intend
from seals.use_ofd import draft, use_ofd
from seals.verify import read_anchors
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, OTHER
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import City, pack, plain_files, unpack

NOW = datetime(2026, 6, 1, 8, 30, 15, 654321, tzinfo=UTC)
DOCUMENT = pack(document_files(pages=2))
STRANGER = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def sealed(
    house: House,
    seal_id: str,
    document: bytes = DOCUMENT,
    *,
    lock: bool = False,
    now: datetime = NOW,
    **changes: object,
) -> Used:
    def deed(call: Call) -> Used:
        ready = draft(call, seal_id=seal_id, document=document, position=Position(), lock=lock)
        use_id = intend(call, seal_id=seal_id, document=document)
        return use_ofd(call, seal_id=seal_id, use_id=use_id, document=document, ready=ready, purpose="函件")

    return act(house, deed, now=now, **changes)  # type: ignore[no-any-return]


def test_a_sealed_document_holds_and_its_use_is_on_record(house: House, seal_id: str) -> None:
    used = sealed(house, seal_id)
    assert (used.digest, used.sealed_at) == (sm3(DOCUMENT), NOW.replace(microsecond=0))
    report = check_file(used.result, anchors=act(house, read_anchors), now=NOW)
    assert report.ok
    assert report.signatures[0].signed_at == used.sealed_at
    row = act(house, lambda call: call.session.get_one(SealUse, used.use_id))
    assert (row.seal_id, row.digest, row.purpose, row.at) == (seal_id, sm3(DOCUMENT), "函件", used.sealed_at)
    assert row.signature in unpack(used.result)["Doc_0/Signs/Sign_0/SignedValue.dat"]
    query = select(AuditEntry.deed).where(AuditEntry.facts.contains(used.use_id))
    deeds = act(house, lambda call: call.session.scalars(query).all())
    assert sorted(deeds) == ["seals:use:create", "seals:use:intend"]


def test_a_second_seal_and_then_no_more(house: House, seal_id: str) -> None:
    twice = sealed(house, seal_id, sealed(house, seal_id).result, lock=True).result
    assert len(check_file(twice, anchors=act(house, read_anchors), now=NOW).signatures) == 2
    with pytest.raises(Problem, match="document_locked"):
        sealed(house, seal_id, twice)


def test_a_document_sealed_under_a_root_unknown_here_can_be_sealed(house: House, seal_id: str) -> None:
    foreign = City()
    other = foreign.stamp_ofd(document_files() | {"OFD.xml": plain_files()["OFD.xml"]}, lock=False)
    used = sealed(house, seal_id, other)
    report = check_file(used.result, anchors=[*act(house, read_anchors), *foreign.anchors], now=NOW)
    assert report.ok
    assert len(report.signatures) == 2


def altered(files: dict[str, bytes]) -> bytes:
    return pack(files | {"Doc_0/Pages/Page_1/Content.xml": document_files()["OFD.xml"]})


def test_a_document_whose_seal_does_not_hold_is_refused(house: House, seal_id: str) -> None:
    with pytest.raises(Problem, match=r"document_refused.*document_altered"):
        sealed(house, seal_id, altered(unpack(sealed(house, seal_id).result)))


@pytest.mark.parametrize("document", [b"", b"letter", b"%PDF-1.7", pack({"a": b"b"}), pack(plain_files(sealed=False))])
def test_what_is_no_ofd_to_be_sealed_is_refused(house: House, seal_id: str, document: bytes) -> None:
    with pytest.raises(Problem, match="document_refused"):
        sealed(house, seal_id, document)


def test_a_place_outside_is_named(house: House, seal_id: str) -> None:
    def attempt(call: Call) -> object:
        return draft(call, seal_id=seal_id, document=DOCUMENT, position=Position(3), lock=False)

    with pytest.raises(Problem, match="invalid") as caught:
        act(house, attempt, now=NOW)
    assert [error.pointer for error in caught.value.errors] == ["/page"]


def test_another_department_drafts_and_uses_nothing(house: House, seal_id: str) -> None:
    ready = act(house, lambda c: draft(c, seal_id=seal_id, document=DOCUMENT, position=Position(), lock=False), now=NOW)

    def use(call: Call) -> object:
        return use_ofd(call, seal_id=seal_id, use_id="2" * 32, document=DOCUMENT, ready=ready, purpose="函件")

    with pytest.raises(Problem, match="forbidden"):
        sealed(house, seal_id, caller=STRANGER)
    with pytest.raises(Problem, match="forbidden"):
        act(house, use, caller=STRANGER, now=NOW)


def test_a_seal_out_of_its_period_seals_nothing(house: House, seal_id: str) -> None:
    with pytest.raises(Problem, match="seal_not_in_force"):
        sealed(house, seal_id, now=NOW + timedelta(days=3650))


def test_a_rehearsal_that_fails_records_no_use(house: House, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        return act(house, lambda call: call.session.scalar(select(func.count()).select_from(SealUse)))  # type: ignore[no-any-return]

    before = count()
    monkeypatch.setattr("seals.use_ofd.export", lambda *_args, **_facts: b"0\x82broken")
    with pytest.raises(Problem, match="seal_rehearsal_failed"):
        sealed(house, seal_id)
    assert count() == before
