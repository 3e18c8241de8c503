"""Each misuse of a show code has its own reason, its own words and its own next step: the table of docs/reasons.md.

A row of that table names its test here; a row without one, and a test without a row, fail.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from idservice.ids import secret_hash
from licences.models import Presentation
from licences.showing.models import PresentationRequest
from tests.databases import SqliteDatabases
from tests.device import Device
from tests.identity import Browser
from tests.town import ALICE, CIVIL, CLERK, SECURITY, Town, copy_town, found

OPERATOR = {"id_number": CLERK, "counter": "综合窗口3号"}
REASONS = Path(__file__).parents[2] / "docs" / "reasons.md"
ROW = re.compile(r"^\| .+ \| .+ \| `(\w+)` \| `(test_\w+)` \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town on one database: what differs between them is raced in `test_races_between_processes.py`."""
    folder = tmp_path_factory.mktemp("town")
    built = copy_town(folder, SqliteDatabases(folder).fresh(found))
    yield built
    built.house.database.engine.dispose()


@pytest.fixture(scope="module")
def clerk(town: Town) -> Browser:
    return town.browser(CLERK)


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


@pytest.fixture(scope="module")
def device(town: Town, card: str) -> Device:
    found = Device()
    found.enrol(town, card)
    return found


def reasons(town: Town, code: str, **asker: Any) -> list[str]:
    found: list[str] = town.verify(code, **asker)["reasons"]
    return found


def told(clerk: Browser, code: str, *, lang: str) -> str:
    """What the clerk's page says of a code."""
    clerk.open(f"/counter?lang={lang}")
    return clerk.submit(clerk.open("/counter"), text=code, purpose="identity").text


def test_a_screenshot_scanned_after_the_code_itself(town: Town, clerk: Browser, device: Device, card: str) -> None:
    for code in (town.show(card), device.code(card)):
        assert reasons(town, code) == []
        assert reasons(town, code) == ["replayed"]
        assert "请持证人当面换一个新码" in told(clerk, code, lang="zh")
        assert "It may be a screenshot" in told(clerk, code, lang="en")


def test_an_old_screenshot(town: Town, clerk: Browser, device: Device, card: str) -> None:
    shown = town.show(card)
    age = update(Presentation).where(Presentation.code_hash == secret_hash(shown))
    town.act(lambda call: call.session.execute(age.values(expires_at=call.now - timedelta(seconds=1))))
    for code in (shown, device.code(card, ahead=-62)):
        assert reasons(town, code) == ["code_expired"]
        assert "请持证人刷新二维码" in told(clerk, code, lang="zh")
        assert "new" in told(clerk, code, lang="en")


def test_a_code_forwarded_to_another_unit(town: Town, clerk: Browser, device: Device, card: str) -> None:
    for code in (town.show(card, audience=CIVIL), device.code(card, unit=CIVIL)):
        assert reasons(town, code, department=SECURITY) == ["wrong_audience"]
        assert "不要接受转发的码" in told(clerk, code, lang="zh")
        assert "accept none that was forwarded" in told(clerk, code, lang="en")
        assert reasons(town, code, client="civil-counter", department=CIVIL) == [], "a refused code is not used up"


def test_a_code_forwarded_to_a_second_counter(town: Town, device: Device, card: str) -> None:
    for code in (town.show(card), device.code(card)):
        assert reasons(town, code, department=SECURITY) == []
        assert reasons(town, code, client="civil-counter", department=CIVIL) == ["replayed"]


def test_a_clock_moved_ahead_by_more_than_five_minutes(town: Town, clerk: Browser, device: Device, card: str) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):
        code = device.code(card, ahead=305)
        assert reasons(town, code) == ["clock_wrong"]
        assert "自动校时" in told(clerk, code, lang="zh")
        assert "set their clocks automatically" in told(clerk, code, lang="en")
        assert reasons(town, device.code(card, ahead=290)) == []


def test_a_clock_moved_back_by_five_minutes(town: Town, device: Device, card: str) -> None:
    assert reasons(town, device.code(card, ahead=-300)) == ["code_expired"]


def test_a_code_of_a_device_that_was_ended(town: Town, clerk: Browser, card: str) -> None:
    lost = Device()
    lost.enrol(town, card)
    town.web.delete(f"/v1/device-credentials/{lost.signer.kid}", headers=town.person(ALICE))
    assert reasons(town, lost.code(card)) == ["device_ended"]
    assert "可能已遗失或被盗" in told(clerk, lost.code(card), lang="zh")
    assert "lost or stolen" in told(clerk, lost.code(card), lang="en")


def test_a_code_signed_by_another_device(town: Town, device: Device, card: str) -> None:
    thief = Device()
    thief.credentials = device.credentials
    assert reasons(town, thief.code(card)) == ["signature_invalid"]


def ask(town: Town) -> dict[str, Any]:
    body = {"question": "licences", "purpose": "受理用电报装", "operator": OPERATOR}
    asked: dict[str, Any] = town.post("/v1/presentation-requests", body, town.machine("counter")).json
    return asked


def answer(town: Town, asked: dict[str, Any], card: str) -> Any:
    holder = town.browser(ALICE)
    return holder.submit(holder.open(f"/me/requests/{asked['code']}"), licences=card, decision="give")


def test_an_answer_read_by_another_session(town: Town, card: str) -> None:
    asked = ask(town)
    answer(town, asked, card)
    where = f"/v1/presentation-requests/{asked['id']}/verifications"
    read = town.post(where, {}, town.machine("civil-counter"))
    assert (read.status_code, read.json["code"]) == (404, "presentation_request_of_another")
    page = town.browser(CLERK).open(f"/counter/ask/{asked['id']}")
    assert (page.status, "这个请求不是由您发出的" in page.text) == (404, True)
    unknown = town.post("/v1/presentation-requests/" + "0" * 64 + "/verifications", {}, town.machine("counter"))
    assert unknown.json["code"] == "not_found"
    assert town.post(where, {}, town.machine("counter")).status_code == 201, "who asked still reads it"


def test_a_request_answered_before_by_somebody_else(town: Town, card: str) -> None:
    asked, holder = ask(town), town.browser(ALICE)
    second = holder.open(f"/me/requests/{asked['code']}")
    assert answer(town, asked, card).status == 200
    late = holder.submit(second, licences=card, decision="give")
    assert late.status == 409
    assert "已过期或已答复" in holder.open(f"/me/requests/{asked['code']}").text


def test_an_answer_read_twice(town: Town, card: str) -> None:
    asked = ask(town)
    answer(town, asked, card)
    where = f"/v1/presentation-requests/{asked['id']}/verifications"
    assert town.post(where, {}, town.machine("counter")).status_code == 201
    again = town.post(where, {}, town.machine("counter"))
    assert (again.status_code, again.json["code"]) == (409, "presentation_request_unanswered")


def test_a_request_answered_too_late(town: Town) -> None:
    asked = ask(town)
    mine = update(PresentationRequest).where(PresentationRequest.code_hash == secret_hash(asked["code"]))
    town.act(lambda call: call.session.execute(mine.values(expires_at=call.now)))
    page = town.browser(ALICE).open(f"/me/requests/{asked['code']}")
    assert (page.status, "已过期或已答复" in page.text) == (409, True)


def test_the_table_names_these_tests_and_their_codes() -> None:
    rows = {test: code for code, test in ROW.findall(REASONS.read_text("utf-8"))}
    here = {name for name in globals() if name.startswith("test_")} - {
        "test_the_table_names_these_tests_and_their_codes"
    }
    assert set(rows) == here
    source = Path(__file__).read_text("utf-8")
    for test, code in rows.items():
        body = source.partition(f"def {test}(")[2].partition("\ndef ")[0]
        assert code in body or "409" in body, (test, code)
