import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.sm2 import sm3
from seals.check import check_file
from seals.decoding import read_signature
from seals.models import SealUse
from seals.register import make
from seals.use import intend, use
from seals.verify import read_anchors
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, OTHER

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)
DOCUMENT = "关于演示的函".encode()
STRANGER = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def entries(house: House, use_id: str) -> list[tuple[str, dict[str, object]]]:
    def read(call: Call) -> list[tuple[str, dict[str, object]]]:
        query = select(AuditEntry.deed, AuditEntry.facts).where(AuditEntry.facts.contains(use_id))
        return [(deed, json.loads(facts)) for deed, facts in call.session.execute(query.order_by(AuditEntry.entry_id))]

    return act(house, read)


def test_the_intent_is_on_record_before_the_use(house: House, seal_id: str) -> None:
    use_id = act(house, lambda call: intend(call, seal_id=seal_id, document=DOCUMENT), now=NOW)
    facts = {"seal": seal_id, "use": use_id, "digest": sm3(DOCUMENT).hex()}
    assert entries(house, use_id) == [("seals:use:intend", facts)]
    later = NOW + timedelta(seconds=1)
    act(house, lambda call: use(call, seal_id=seal_id, use_id=use_id, document=DOCUMENT, purpose="函件"), now=later)
    assert entries(house, use_id) == [("seals:use:intend", facts), ("seals:use:create", facts)]


def test_the_signature_lies_beside_the_document_and_names_its_record(house: House, seal_id: str) -> None:
    use_id = act(house, lambda call: intend(call, seal_id=seal_id, document=DOCUMENT), now=NOW)
    used = act(
        house, lambda call: use(call, seal_id=seal_id, use_id=use_id, document=DOCUMENT, purpose="函件"), now=NOW
    )
    roots = act(house, read_anchors)
    assert check_file(used.result, document=DOCUMENT, anchors=roots, now=NOW).ok
    assert not check_file(used.result, document=b"other", anchors=roots, now=NOW).ok
    assert read_signature(used.result).property_info == f"urn:ona:seal-use:{use_id}"
    row = act(house, lambda call: call.session.get_one(SealUse, use_id))
    assert (row.seal_id, row.digest, row.purpose, row.actor, row.at) == (
        seal_id,
        sm3(DOCUMENT),
        "函件",
        "client:test",
        NOW,
    )
    assert len(row.signature) <= 72  # the picture is not stored again


@pytest.mark.parametrize("deed", ["intend", "use"])
def test_another_department_uses_nothing(house: House, seal_id: str, deed: str) -> None:
    def attempt(call: Call) -> object:
        if deed == "intend":
            return intend(call, seal_id=seal_id, document=DOCUMENT)
        return use(call, seal_id=seal_id, use_id="0" * 32, document=DOCUMENT, purpose="函件")

    with pytest.raises(Problem, match="forbidden"):
        act(house, attempt, caller=STRANGER, now=NOW)


def test_a_rehearsal_that_fails_records_no_use(house: House, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seals.use.export", lambda *_args, **_facts: b"0\x82broken")
    with pytest.raises(Problem, match="seal_rehearsal_failed"):
        act(house, lambda call: use(call, seal_id=seal_id, use_id="1" * 32, document=DOCUMENT, purpose="函件"), now=NOW)
    query = select(func.count()).where(SealUse.use_id == "1" * 32)
    assert act(house, lambda call: call.session.scalar(query)) == 0
