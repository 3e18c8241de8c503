from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.certificates import parse
from keys.sm2 import sm3
from seals.check import check_file
from seals.models import DocumentCertificate, SealUse
from seals.pdf import Profile
from seals.position import Position
from seals.register import make
from seals.use import Used, intend
from seals.use_pdf import draft, use_pdf
from seals.verify import read_anchors
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, NAME, OTHER
from tests.unit.seals.pdfs import document

NOW = datetime(2026, 6, 1, 8, 30, 15, 654321, tzinfo=UTC)
DOCUMENT = document(pages=2)
STRANGER = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def sealed(
    house: House,
    seal_id: str,
    data: bytes = DOCUMENT,
    *,
    lock: bool = False,
    profile: Profile | None = None,
    position: Position = Position(),  # noqa: B008 (frozen)
    now: datetime = NOW,
    **changes: object,
) -> Used:
    def deed(call: Call) -> Used:
        ready = draft(call, seal_id=seal_id, document=data, position=position, lock=lock, profile=profile)
        use_id = intend(call, seal_id=seal_id, document=data)
        return use_pdf(call, seal_id=seal_id, use_id=use_id, document=data, ready=ready, purpose="")

    return act(house, deed, now=now, **changes)  # type: ignore[no-any-return]


def report(house: House, data: bytes) -> object:
    return check_file(data, anchors=act(house, read_anchors), now=NOW)


def test_a_sealed_pdf_holds_and_its_use_is_on_record(house: House, seal_id: str) -> None:
    used = sealed(house, seal_id, profile=Profile.B_B)
    assert (used.digest, used.sealed_at) == (sm3(DOCUMENT), NOW.replace(microsecond=0))
    found = report(house, used.result)
    assert found.ok
    assert found.signatures[0].signer.common_name == NAME
    row = act(house, lambda call: call.session.get_one(SealUse, used.use_id))
    assert (row.seal_id, row.digest, row.at) == (seal_id, sm3(DOCUMENT), used.sealed_at)
    assert row.signature.hex().upper().encode() in used.result
    query = select(AuditEntry.deed).where(AuditEntry.facts.contains(used.use_id))
    deeds = act(house, lambda call: call.session.scalars(query).all())
    assert sorted(deeds) == ["seals:use:create", "seals:use:intend"]


def test_key_and_certificate_are_made_once(house: House, seal_id: str) -> None:
    for _ in range(2):
        sealed(house, seal_id, profile=Profile.B_B)
    count = select(func.count()).select_from(DocumentCertificate).where(DocumentCertificate.seal_id == seal_id)
    assert act(house, lambda call: call.session.scalar(count)) == 1
    row = act(house, lambda call: call.session.get_one(DocumentCertificate, seal_id))
    certificate = parse(row.certificate)
    assert (certificate.key_algorithm, certificate.common_name) == ("P-256", NAME)
    assert certificate.not_after <= NOW + timedelta(days=5 * 365 + 1)


def test_an_sm2_seal_leads_to_the_register_s_seal(house: House, seal_id: str) -> None:
    found = report(house, sealed(house, seal_id, profile=Profile.SES).result)
    assert found.ok
    assert found.signatures[0].seal.seal_id == seal_id


def test_both_kinds_on_one_document_and_then_no_more(house: House, seal_id: str) -> None:
    once = sealed(house, seal_id, profile=Profile.SES).result
    twice = sealed(house, seal_id, once, lock=True).result
    assert len(report(house, twice).signatures) == 2
    assert report(house, twice).ok
    with pytest.raises(Problem, match="document_locked"):
        sealed(house, seal_id, twice)


def test_a_keyword_is_where_the_seal_goes(house: House, seal_id: str) -> None:
    used = sealed(house, seal_id, position=Position(keyword="Page 2 of"))
    assert report(house, used.result).ok
    with pytest.raises(Problem, match="invalid") as caught:
        sealed(house, seal_id, position=Position(keyword="Page 3 of"))
    assert [error.pointer for error in caught.value.errors] == ["/keyword"]


def test_a_document_whose_seal_does_not_hold_is_refused(house: House, seal_id: str) -> None:
    once = sealed(house, seal_id).result
    with pytest.raises(Problem, match=r"document_refused.*document_altered"):
        sealed(house, seal_id, once.replace(b"Page 2 of", b"Page 3 of"))


@pytest.mark.parametrize("data", [b"", b"letter", b"%PDF-1.7", DOCUMENT[:-30]], ids=["", "text", "head", "cut"])
def test_what_is_no_pdf_to_be_sealed_is_refused(house: House, seal_id: str, data: bytes) -> None:
    with pytest.raises(Problem, match="document_refused"):
        sealed(house, seal_id, data)


@pytest.mark.parametrize(
    ("position", "field"), [(Position(3), "/page"), (Position(1, 180, 20), "/x"), (Position(1, 20, 290), "/y")]
)
def test_a_place_outside_is_named(house: House, seal_id: str, position: Position, field: str) -> None:
    with pytest.raises(Problem, match="invalid") as caught:
        sealed(house, seal_id, position=position)
    assert [error.pointer for error in caught.value.errors] == [field]


def test_another_department_drafts_and_uses_nothing(house: House, seal_id: str) -> None:
    with pytest.raises(Problem, match="forbidden"):
        sealed(house, seal_id, caller=STRANGER)
    ready = act(house, lambda c: draft(c, seal_id=seal_id, document=DOCUMENT, position=Position(), lock=False), now=NOW)

    def use(call: Call) -> object:
        return use_pdf(call, seal_id=seal_id, use_id="2" * 32, document=DOCUMENT, ready=ready, purpose="函件")

    with pytest.raises(Problem, match="forbidden"):
        act(house, use, caller=STRANGER, now=NOW)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_seal_out_of_its_period_seals_nothing(house: House, seal_id: str, profile: Profile) -> None:
    with pytest.raises(Problem, match="seal_not_in_force"):
        sealed(house, seal_id, profile=profile, now=NOW + timedelta(days=3650))


def test_a_rehearsal_that_fails_records_no_use(house: House, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        return act(house, lambda call: call.session.scalar(select(func.count()).select_from(SealUse)))  # type: ignore[no-any-return]

    before = count()
    monkeypatch.setattr("seals.use_pdf.export", lambda *_args, **_facts: b"0\x82broken")
    with pytest.raises(Problem, match="seal_rehearsal_failed"):
        sealed(house, seal_id, profile=Profile.SES)
    assert count() == before
