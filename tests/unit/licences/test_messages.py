"""A message to a person's phone waits in the outbox, is sent once, and where nobody carries messages is not left."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idservice.events import courier
from idservice.register import people
from licences import messages
from tests.builders import act
from tests.identity import citizen_number
from tests.town import COMPANY, Town

KIND = "told_in_a_test"
WITH_PHONE = citizen_number("37160219930303447")


@pytest.fixture(autouse=True)
def carried(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more kind of message, for this test alone."""
    monkeypatch.setattr(courier, "SENDERS", dict(courier.SENDERS))
    messages.carry(KIND, lambda _call, notice: f"办件 {notice.facts['case']}")


def test_it_is_sent_once_and_whoever_has_no_phone_is_sent_nothing(town: Town, tmp_path: Path) -> None:
    subject = town.act(lambda call: people.enrol(call, number=WITH_PHONE, name="钱多多", phone="13800001234"))
    sent = tmp_path / "sms.jsonl"
    house = replace(town.house, settings=replace(town.house.settings, sms_sender=f"file:{sent}"))
    for whom in (subject, town.subjects[COMPANY], "nobody"):
        act(house, lambda call, whom=whom: messages.leave(call, KIND, whom, {"case": "DM-1"}))
    assert courier.deliver(house, datetime.now(UTC)) == 3, "a notice for nobody is settled, too"
    assert courier.deliver(house, datetime.now(UTC)) == 0
    told = [json.loads(line) for line in sent.read_text("utf-8").splitlines()]
    assert [(one["to"], one["text"]) for one in told] == [("13800001234", "办件 DM-1")]


def test_where_nobody_carries_messages_none_is_left(town: Town) -> None:
    town.act(lambda call: messages.leave(call, KIND, town.subjects[COMPANY], {"case": "DM-2"}))
    assert courier.deliver(town.house, datetime.now(UTC)) == 0
