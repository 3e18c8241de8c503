"""Who is found to have committed falsely is told by a message, once, and what it says is enough to object."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from idservice.events import courier
from idservice.register import people
from licences.counter import commitment_signing, commitments
from licences.counter.commitment_life import Step
from licences.counter.commitment_notices import KIND
from tests import cases
from tests.builders import act
from tests.identity import citizen_number
from tests.town import NAMES, SECURITY, Town

WITH_PHONE = citizen_number("37160219930303447")


def test_a_mark_is_told_once_with_the_last_day(town: Town, tmp_path: Path) -> None:
    cases.set_up(town)
    subject = town.act(lambda call: people.enrol(call, number=WITH_PHONE, name="钱多多", phone="13800001234", level=3))
    town.subjects[WITH_PHONE] = subject
    number, sent = cases.offered(town, number=WITH_PHONE), tmp_path / "sms.jsonl"
    house = replace(town.house, settings=replace(town.house.settings, sms_sender=f"file:{sent}"))
    person = town.caller(WITH_PHONE, level=3, amr=("pwd",), auth_time=datetime.now(UTC))
    town.act(lambda call: commitment_signing.sign(call, number, language="zh"), caller=person)
    marked = act(house, lambda call: commitments.judge(call, number, Step.FIND_FALSE, "与登记不符"))
    for _ in range(2):
        courier.deliver(house, datetime.now(UTC))
    (message,) = [json.loads(line) for line in sent.read_text("utf-8").splitlines()]
    assert message["to"] == "13800001234"
    for part in (NAMES[SECURITY], "户籍核查", marked.objection_until.isoformat()):
        assert part in message["text"]
    assert "与登记不符" not in message["text"]
    assert KIND in courier.SENDERS
