"""Whoever holds the security post is told of an alarm by a message, once, and it names nobody."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete

from idservice.admin import roles
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.events import courier
from idservice.register import people
from licences.guard import alarm_messages, alarms
from licences.guard.alarms import Kind
from licences.guard.models import GuardAlarm
from tests.builders import act
from tests.identity import citizen_number
from tests.town import BOB, CLERK, Town

CHIEF = citizen_number("37160219930303447")


def test_each_alarm_is_told_once_to_those_who_see_to_it(town: Town, tmp_path: Path) -> None:
    for table in (GuardAlarm, Administrator):
        town.act(lambda call, table=table: call.session.execute(delete(table)))
    chief = town.act(lambda call: people.enrol(call, number=CHIEF, name="钱多多", phone="13800001234", level=3))
    town.act(lambda call: roles.give(call, chief, Role.SECURITY))
    town.act(lambda call: roles.give(call, town.subjects[BOB], Role.SYSTEM))
    sent = tmp_path / "sms.jsonl"
    house = replace(town.house, settings=replace(town.house.settings, sms_sender=f"file:{sent}"))
    whose = {"operator": town.subjects[CLERK]}
    for cause in ("a", "a", "b"):
        act(house, lambda call, cause=cause: alarms.sound(call, Kind.HONEY, cause=cause, **whose))
    for _ in range(2):
        courier.deliver(house, datetime.now(UTC))
    told = [json.loads(line) for line in sent.read_text("utf-8").splitlines()]
    assert [one["to"] for one in told] == ["13800001234"] * 2
    assert {one["text"] for one in told} == {"【一号通行】查询管控告警：有人触碰蜜罐号码。请立即到“查询管控”页面处理。"}
    town.act(lambda call: roles.take(call, chief))


def test_where_nobody_carries_messages_nothing_waits_for_ever(town: Town) -> None:
    town.act(lambda call: alarms.sound(call, Kind.DAY, cause="c"))
    assert courier.deliver(town.house, datetime.now(UTC)) == 0
    town.act(lambda call: call.session.execute(delete(GuardAlarm)))


def test_every_kind_of_alarm_has_its_words() -> None:
    assert set(alarm_messages.WHAT) == {str(kind) for kind in Kind}
