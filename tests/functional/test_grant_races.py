"""Fifty at once: one answer, one redemption, and no guess that is not counted, on every database."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select

from idservice.models import TokenFamily
from idservice.oauth import binding, device
from idservice.oauth.models import CodeTries
from tests.builders import act
from tests.functional.test_oauth_races import MANY, at_once, outcomes
from tests.grants import (
    enter_code,
    open_approval,
    open_logged_in,
    poll_ciba,
    poll_device,
    register_apps,
    start_ciba,
    start_device,
)
from tests.identity import Browser, City, Page


@pytest.fixture(autouse=True, scope="module")
def _apps(city: City) -> None:
    register_apps(city)


@pytest.fixture(autouse=True)
def _no_guesses_yet(city: City) -> None:
    act(city.house, lambda call: call.session.execute(delete(CodeTries)) and None)


def test_one_device_code_redeemed_fifty_times_at_once(city: City) -> None:
    started = start_device(city, "kiosk").json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    answers = at_once(lambda: poll_device(city, started["device_code"], "kiosk"))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): MANY - 1}


def test_one_auth_req_id_redeemed_fifty_times_at_once(city: City) -> None:
    started = start_ciba(city).json
    browser = city.browser()
    browser.submit(open_approval(browser, started), decision="allow", code=started["binding_code"])
    answers = at_once(lambda: poll_ciba(city, started["auth_req_id"]))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): MANY - 1}


def test_fifty_polls_at_once_while_a_person_answers_get_one_token(city: City) -> None:
    started = start_device(city, "kiosk").json
    browser = city.browser()
    page = enter_code(browser, started["user_code"])
    polls = iter(range(MANY))

    def deed():
        if next(polls) == 0:
            return browser.submit(page, decision="allow").status
        return poll_device(city, started["device_code"], "kiosk").status_code

    said = at_once(deed)
    said.append(poll_device(city, started["device_code"], "kiosk").status_code)
    assert set(said) == {200, 400}
    assert said.count(200) == 2, "the page and one poll"


def test_one_request_answered_fifty_times_at_once(city: City) -> None:
    """Each answer would open a token family of its own."""
    families = select(func.count()).select_from(TokenFamily).where(TokenFamily.client_id == "kiosk")
    before = act(city.house, lambda call: call.session.scalar(families)) or 0
    started = start_device(city, "kiosk").json
    browser = city.browser()
    said = posted_at_once(city, browser, enter_code(browser, started["user_code"]), decision="allow")
    assert said.count(200) == 1
    assert set(said) <= {200, 404, 409}
    assert act(city.house, lambda call: call.session.scalar(families)) == before + 1
    assert poll_device(city, started["device_code"], "kiosk").status_code == 200


def posted_at_once(city: City, browser: Browser, page: Page, **values: str) -> list[int]:
    """Post a page's form fifty times at once from one browser."""
    form = {**page.form["values"], **values}
    cookies = [browser.client.get_cookie(name) for name in ("__Host-ona-session", "__Host-ona-form")]
    header = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie is not None)

    def post() -> int:
        client = city.app.test_client(use_cookies=False)
        return client.post(page.form["action"], data=form, headers={"Cookie": header}).status_code

    return at_once(post)


def test_fifty_wrong_device_codes_at_once_are_all_counted(city: City) -> None:
    browser = city.browser()
    said = posted_at_once(city, browser, open_logged_in(browser, "/device"), user_code="BBBB-BBBB")
    assert set(said) <= {400, 429}
    counted = act(city.house, lambda call: call.session.scalar(select(CodeTries.wrong)))
    assert counted == said.count(400) >= device.MAX_WRONG


def test_fifty_wrong_binding_codes_at_once_end_the_request(city: City) -> None:
    started = start_ciba(city).json
    wrong = f"{(int(started['binding_code']) + 7) % 10**6:06d}"
    browser = city.browser()
    said = posted_at_once(city, browser, open_approval(browser, started), decision="allow", code=wrong)
    assert said.count(400) == binding.MAX_WRONG - 1
    assert said.count(200) == 1, "one saw the end"
    assert set(said) <= {200, 400, 404, 409}
    assert outcomes([poll_ciba(city, started["auth_req_id"])]) == {(400, "access_denied"): 1}
