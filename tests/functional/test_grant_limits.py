"""The one limiter stands before the further grants too, and known and unknown numbers meet it alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from idservice.oauth import ciba, device, pending_pages, pending_routes
from idservice.oauth import routes as oauth_routes
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.grants import open_logged_in, register_apps, start_ciba, start_device
from tests.identity import ALICE, STRANGER, City, Flow, basic, build_city, query_of, token


@pytest.fixture
def throttled(tmp_path: Path) -> Iterator[City]:
    """A city whose clock stands still: a limit counts anew little by little while time passes."""
    built = build_city(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), unthrottled_loopback=False)
    register_apps(built)
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield built
    built.house.database.engine.dispose()


def times(limit: str) -> int:
    return int(limit.partition("/")[0])


def test_nobody_is_worn_down_and_no_number_is_told_apart(throttled: City) -> None:
    said = {}
    for number in (ALICE, STRANGER):
        answers = [start_ciba(throttled, login_hint=number) for _ in range(times(ciba.NUMBER_LIMIT) + 1)]
        said[number] = [(answer.status_code, answer.json.get("error")) for answer in answers]
        assert answers[-1].headers["Retry-After"].isdecimal()
    assert said[ALICE] == said[STRANGER]
    assert said[ALICE][-2:] == [(200, None), (429, "temporarily_unavailable")]


def test_public_clients_cannot_fill_the_table(throttled: City) -> None:
    said = [start_device(throttled).status_code for _ in range(times(pending_routes.ADDRESS_LIMIT) + 1)]
    assert said == [200] * times(pending_routes.ADDRESS_LIMIT) + [429]
    assert start_device(throttled, "kiosk").status_code == 200


def test_public_clients_push_so_many_requests_and_no_more(throttled: City) -> None:
    def push(client_id: str) -> int:
        form = dict(query_of(Flow(client_id).url()))
        headers = basic(client_id) if client_id != "public" else {}
        return int(token(throttled.app, form, headers, "/oauth/par").status_code)

    said = [push("public") for _ in range(times(oauth_routes.PUBLIC_LIMIT) + 1)]
    assert said == [201] * times(oauth_routes.PUBLIC_LIMIT) + [429]
    assert push("basic") == 201


def test_codes_are_not_tried_quickly(throttled: City) -> None:
    assert times(device.PERSON_LIMIT) > device.MAX_WRONG
    browser = throttled.browser()
    page = open_logged_in(browser, "/device")
    said = [browser.submit(page, user_code="BBBB-BBBB") for _ in range(device.MAX_WRONG + 1)]
    assert [answer.status for answer in said] == [400] * device.MAX_WRONG + [429]
    assert pending_pages.WRONG_CODE[0] in said[0].text
