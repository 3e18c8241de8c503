"""The cookie of the forms and their token: ours, this browser's, unaltered, not too old."""

import time
from datetime import UTC, datetime
from typing import Any

import time_machine

from idservice.http import forms
from keys.ring import Purpose
from tests.unit.idservice.http.conftest import Site


def token_in(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def posted(site: Site, cookie: str, token: str) -> tuple[int, Any]:
    client = site.app.test_client(use_cookies=False)
    answer = client.post("/leaf/form", data={"csrf_token": token}, headers={"Cookie": f"{forms.COOKIE}={cookie}"})
    return answer.status_code, (answer.json or {}).get("code")


def opened(site: Site) -> tuple[str, str]:
    """Return cookie and token of a login page."""
    answer = site.app.test_client(use_cookies=False).get("/login")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    return cookie.partition("=")[2].partition(";")[0], token_in(answer.text)


def test_two_pages_of_one_browser_are_both_good(site: Site) -> None:
    cookie, first = opened(site)
    sent = {"Cookie": f"{forms.COOKIE}={cookie}"}
    second = token_in(site.app.test_client(use_cookies=False).get("/login", headers=sent).text)
    assert posted(site, cookie, first) == posted(site, cookie, second) != (403, "csrf")


def test_a_token_is_refused_that_is_not_of_this_cookie(site: Site) -> None:
    cookie, good = opened(site)
    foreign = opened(site)[1]
    for odd in (foreign, good[:-1], good[16:], good.upper(), good[:16], "", "é" * 80, "x" * 100_000):
        assert posted(site, cookie, odd) == (403, "csrf"), odd[:40]
    altered = cookie[:5] + ("A" if cookie[5] != "A" else "B") + cookie[6:]
    assert posted(site, "", good) == posted(site, altered, good) == (403, "csrf")


def test_a_form_outlives_the_turning_of_its_key_and_its_cookie_not_a_month(site: Site) -> None:
    cookie, token = opened(site)
    site.city.house.keys.rotate(Purpose.SESSION, now=datetime.now(UTC))
    assert posted(site, cookie, token) != (403, "csrf")
    with time_machine.travel(time.time() + 32 * 24 * 3600, tick=False):
        assert posted(site, cookie, token) == (403, "csrf")


def test_an_exemption_is_remembered_for_its_own_endpoint_alone(site: Site) -> None:
    client = site.app.test_client()
    for _ in range(2):  # at the first request, and from then on
        assert client.post("/oauth/token", data={}).status_code != 403
        for path in ("/login", "/oauth/decision", "/leaf/form"):
            assert client.post(path, data={}).status_code == 403, path


def test_an_answer_that_depends_on_the_cookie_says_so_whether_or_not_it_sets_it(site: Site) -> None:
    client = site.app.test_client()
    first, second = client.get("/login"), client.get("/login")
    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in second.headers
    assert [answer.headers.getlist("Vary") for answer in (first, second)] == [["Cookie"]] * 2
