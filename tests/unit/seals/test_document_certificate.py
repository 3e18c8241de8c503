from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from idservice.call import Call, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.ring import Purpose
from seals.document_certificate import ensure, signer_of
from seals.models import DocumentCertificate, Seal
from seals.register import make
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def certify(house: House, seal_id: str) -> None:
    act(house, lambda call: ensure(call, call.session.get_one(Seal, seal_id)), now=NOW)


def test_the_certificate_is_for_the_key_and_ends_with_the_seal(house: House, seal_id: str) -> None:
    certify(house, seal_id)
    party = act(house, lambda call: signer_of(call, call.session.get_one(Seal, seal_id)))
    seal = act(house, lambda call: call.session.get_one(Seal, seal_id))
    assert party.certificate.not_before == NOW
    assert party.certificate.not_after == min(seal.valid_until, party.certificate.not_after)
    point = house.keys.seal_signer(seal_id, Purpose.DOCUMENT).public.jwk()
    assert point["crv"] == "P-256"
    query = select(AuditEntry.facts).where(AuditEntry.deed == "seals:document_certificate:issue")
    assert sum(seal_id in facts for facts in act(house, lambda call: call.session.scalars(query).all())) == 1


def test_it_is_made_once_even_where_a_key_was_left_behind(house: House, seal_id: str) -> None:
    left = house.keys.new_seal_key(seal_id, Purpose.DOCUMENT, now=NOW)
    for _ in range(2):
        certify(house, seal_id)
    assert house.keys.seal_signer(seal_id, Purpose.DOCUMENT).kid == left.kid


def test_without_certificate_or_key_nothing_is_signed(house: House, seal_id: str) -> None:
    with pytest.raises(Problem, match="seal_not_in_force"):
        act(house, lambda call: signer_of(call, call.session.get_one(Seal, seal_id)))
    certify(house, seal_id)
    house.keys.retire(house.keys.seal_signer(seal_id, Purpose.DOCUMENT).kid)
    with pytest.raises(Problem, match="seal_not_in_force"):
        act(house, lambda call: signer_of(call, call.session.get_one(Seal, seal_id)))


def test_without_a_root_for_documents_none_is_made(house: House, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from seals import document_certificate
    from seals.authority import Authority, authority_of

    def rootless(call: Call) -> Authority:
        found = authority_of(call)
        return Authority(found.root, found.maker)

    monkeypatch.setattr(document_certificate, "authority_of", rootless)
    with pytest.raises(Problem, match="unavailable"):
        certify(house, seal_id)
    assert act(house, lambda call: call.session.get(DocumentCertificate, seal_id)) is None
