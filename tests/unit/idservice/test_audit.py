"""No deed without its audit row, no row without its deed; what stands in a row is what the log commits to."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from idservice import audit
from idservice.call import Call, Caller, House
from idservice.models import AccessRecord, AuditEntry, Department
from keys.fields import FieldError
from tests.builders import act, build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


class Deed(StrEnum):
    """A deed of no room."""

    DONE = "test:thing:do"


@pytest.fixture(scope="module")
def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path_factory.mktemp("audit"), url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def count(house: House, table: Any) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(table))) or 0


def entry(house: House, entry_id: str) -> AuditEntry:
    return act(house, lambda call: call.session.get_one(AuditEntry, entry_id))


def do(call: Call, code: str) -> None:
    """A deed: one row, and its audit row."""
    values = {"credit_code": code, "name": "示范局", "name_en": "x", "region": "990100"}
    call.session.execute(insert(Department), values)
    audit.record(call, Deed.DONE, thing=code)


@pytest.mark.parametrize(
    ("caller", "actor"),
    [
        (Caller(channel="api", client_id="c", person="p", principal="o"), "person:p"),
        (Caller(channel="api", client_id="c"), "client:c"),
        (Caller(channel="page"), "nobody"),
    ],
)
def test_a_row_says_who_did_what_when(house: House, caller: Caller, actor: str) -> None:
    made: list[Call] = []

    def deed(call: Call) -> str:
        made.append(call)
        return audit.record(call, Deed.DONE, b=None, a=["x"], n=3, yes=True)

    row = entry(house, act(house, deed, caller=caller, now=NOW))
    assert (row.at, row.deed, row.outcome, row.actor) == (NOW, "test:thing:do", "done", actor)
    assert row.facts == '{"a":["x"],"n":3,"yes":true}', "canonical, and without what is unknown"
    assert row.log_index is None, "the sequencer orders it later"
    assert len(row.salt) == 16
    assert made[0].audit_ids == [row.entry_id]


def test_salts_are_never_the_same(house: House) -> None:
    ids = act(house, lambda call: [audit.record(call, Deed.DONE, a=1) for _ in range(50)])
    assert len({entry(house, entry_id).salt for entry_id in ids}) == 50


def test_the_row_comes_with_the_deed_or_not_at_all(house: House) -> None:
    before = count(house, AuditEntry), count(house, Department)

    def fails(call: Call) -> None:
        do(call, "A" * 18)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        act(house, fails)
    assert (count(house, AuditEntry), count(house, Department)) == before
    act(house, lambda call: do(call, "A" * 18))
    assert (count(house, AuditEntry), count(house, Department)) == (before[0] + 1, before[1] + 1)


def test_no_audit_no_deed(house: House) -> None:
    before = count(house, AuditEntry), count(house, Department)

    def cannot_be_audited(call: Call) -> None:
        do(call, "B" * 18)
        audit.record(call, Deed.DONE, amount=object())

    with pytest.raises(Exception, match="object"):
        act(house, cannot_be_audited)
    assert (count(house, AuditEntry), count(house, Department)) == before


def test_a_look_at_somebody_is_one_audit_row_and_one_record_for_him(house: House) -> None:
    facts: dict[str, audit.Fact] = {"who": "孙窗口", "purpose": "核对", "fields": ["name"], "basis": None}

    def look(call: Call) -> str:
        return audit.record_access(call, Deed.DONE, subject="s" * 32, facts=facts, licence="L")

    record_id = act(house, look)
    record = act(house, lambda call: call.session.get_one(AccessRecord, ("s" * 32, record_id)))
    row = entry(house, record.audit_id)
    stated = json.loads(row.facts)
    content = stated.pop("content")
    assert stated == {"subject": "s" * 32, "access": record_id, "licence": "L"}
    assert "孙窗口" not in row.facts
    assert "孙窗口".encode() not in record.facts_sealed
    place = {"table": "access_record", "column": "facts_sealed"}
    opened = house.cipher.open(record.facts_sealed, **place, row=record_id)
    assert hashlib.sha256(opened).hexdigest() == content, "the log stands for what the holder reads"
    told = json.loads(opened)
    assert len(told.pop(audit.SALT)) == 32
    assert told == {name: value for name, value in facts.items() if value is not None}
    with pytest.raises(FieldError):
        house.cipher.open(record.facts_sealed, **place, row="0" * 32)


ROW: dict[str, Any] = {
    "entry_id": "0" * 32,
    "at": NOW,
    "deed": "a:b:c",
    "outcome": "done",
    "actor": "nobody",
    "facts": "{}",
    "salt": b"0" * 16,
}
CHANGED: dict[str, Any] = {
    "entry_id": "1" + "0" * 31,
    "at": NOW + timedelta(microseconds=1),
    "deed": "a:b:d",
    "outcome": "refused",
    "actor": "nobody ",
    "facts": '{"a":1}',
    "salt": b"1" + b"0" * 15,
}


@pytest.mark.parametrize("column", ROW)
def test_the_leaf_changes_with_every_column(column: str) -> None:
    assert audit.leaf_bytes(**ROW) != audit.leaf_bytes(**(ROW | {column: CHANGED[column]}))


def test_the_leaf_commits_to_every_column_there_is() -> None:
    kept = {column.name for column in AuditEntry.__table__.columns}
    assert kept - ROW.keys() == {"log_index"}, "the place in the log is the tree's to say"


def test_the_leaf_is_the_same_on_every_database_and_in_every_zone(house: House) -> None:
    row = entry(house, act(house, lambda call: audit.record(call, Deed.DONE, a=1), now=NOW))
    read = {name: getattr(row, name) for name in ROW}
    assert audit.leaf_bytes(**read) == audit.leaf_bytes(**(read | {"at": NOW.astimezone()}))
    assert len(audit.leaf_bytes(**read)) == 32


def test_fields_do_not_run_into_each_other() -> None:
    moved = ROW | {"outcome": "don", "actor": "enobody"}
    assert audit.leaf_bytes(**ROW) != audit.leaf_bytes(**moved)


def test_deeds_are_room_thing_deed() -> None:
    assert all(deed.count(":") == 2 and deed.startswith("idservice:") for deed in audit.Deed)
