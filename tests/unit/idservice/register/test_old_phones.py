"""Who had the old number is told, where there is anybody who carries messages."""

from datetime import UTC, datetime
from pathlib import Path

from idservice.call import House
from idservice.register import old_phones
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases, noting_statements
from tests.factors import messages

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_every_old_number_gets_one_message(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"
    house = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), sms_sender=f"file:{path}")
    old_phones.tell(house, ["13800001234", "13900005678"], at=NOW)
    told = [(message["to"], message["code"], message["text"]) for message in messages(path)]
    assert told == [("13800001234", None, old_phones.TEXT), ("13900005678", None, old_phones.TEXT)]
    house.database.engine.dispose()


def test_without_a_sender_nobody_is_told(house: House) -> None:
    old_phones.tell(house, ["13800001234"], at=NOW)


def test_where_nobody_listens_a_portion_costs_one_question(house: House) -> None:
    with noting_statements(house.database) as found:
        act(house, lambda call: old_phones.tell_apps(call, [f"{number:032x}" for number in range(100)]))
    assert sum("FROM event_stream" in statement for statement in found) == 1
    assert len([statement for statement in found if statement.startswith("SELECT")]) == 1
