"""Showing and verifying on pages: the citizen's phone, the clerk's scan box, the public's check."""

import html
import json
import re
from typing import Any

import pytest

from licences import artefacts, qr, show
from licences.change import find
from tests.sealing import post_form
from tests.town import (
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    MATTER,
    NAMES,
    OFFICER,
    SECURITY,
    WINDOW,
    Town,
    type_of,
)


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    """A real-estate title of Alice's: its location is masked as an address."""
    return town.issue().identifier


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


def test_a_citizen_shows_and_a_clerk_scans_on_their_pages(town: Town, title: str, card: str) -> None:
    citizen, clerk = town.browser(ALICE), town.browser(CLERK)
    wallet = citizen.open("/me")
    assert type_of("real_estate_title").name in wallet.text
    assert ALICE not in wallet.text
    assert "王小明" in citizen.open(f"/me/licences/{title}").text
    assert citizen.client.get(f"/me/licences/{title}/seal.dat").data.startswith(b"\x30")
    choose = citizen.open("/me/show")
    assert title in choose.text
    assert card in choose.text
    nothing = citizen.submit(choose)
    assert nothing.status == 422
    shown = citizen.submit(choose, licences=title)
    assert shown.status == 200
    assert "<svg" in shown.text
    code = "".join(re.findall(r"<span>([0-9A-Z]{2,4})</span>", shown.text))
    assert len(code) == show.LENGTH
    poll = re.search(r'data-state-url="([^"]+)"', shown.text)
    assert poll is not None
    assert code not in poll[1]
    assert json.loads(citizen.open(poll[1]).text) == {"shown_to": None}
    assert town.browser(BOB).open(poll[1]).status == 404
    box = clerk.open("/counter")
    unchosen = clerk.submit(box, text=code)
    assert "请选择办理事项" in unchosen.text
    answer = clerk.submit(unchosen, text=code, purpose=MATTER)
    assert answer.status == 200
    assert "有效" in answer.text
    assert "王**" in answer.text
    assert ALICE not in answer.text
    assert "王小明" not in answer.text
    kept = clerk.open("/counter")
    assert re.search(rf'<option value="{MATTER}" selected', kept.text), "the purpose is chosen once a shift"
    assert type_of("real_estate_title").name in kept.text
    seen = json.loads(citizen.open(poll[1]).text)["shown_to"]
    assert seen["unit"] == f"{NAMES[SECURITY]} {WINDOW}"
    who = citizen.open("/me/accesses")
    assert f"{NAMES[SECURITY]} {WINDOW}" in who.text
    replay = clerk.submit(kept, text=code, purpose=MATTER)
    assert "此码已使用过" in replay.text


def test_a_citizen_shows_to_one_unit_alone(town: Town, title: str) -> None:
    citizen = town.browser(ALICE)
    choose = citizen.open("/me/show")
    assert f'<option value="{CIVIL}">{NAMES[CIVIL]}</option>' in choose.text
    shown = citizen.submit(choose, licences=title, audience=CIVIL)
    assert f'name="audience" value="{CIVIL}"' in shown.text, "the next code is for that unit too"
    code = "".join(re.findall(r"<span>([0-9A-Z]{2,4})</span>", shown.text))
    assert town.verify(code, operator={"id_number": CLERK})["reasons"] == ["wrong_audience"]
    assert town.verify(code, client="civil-counter", department=CIVIL)["ok"]
    anywhere = citizen.submit(citizen.open("/me/show"), licences=title, audience="")
    assert 'name="audience"' not in anywhere.text


def test_staff_pages_are_for_staff_and_wallets_for_their_holders(town: Town, title: str) -> None:
    for number in (ALICE, OFFICER):
        assert town.browser(number).open("/counter").status == 403
    for number in (BOB, OFFICER):
        assert town.browser(number).open(f"/me/licences/{title}").status == 404
    for where in ("/me", "/me/show", "/me/accesses", "/counter", "/admin"):
        assert "/login" in town.browser(ALICE).app.test_client().get(where).headers["Location"]


def test_a_page_needs_its_own_token_to_act(town: Town, title: str) -> None:
    browser = town.browser(ALICE)
    assert browser.open("/me/show", {"licences": title}).status == 403
    assert browser.open("/me/show", {"licences": title, "csrf_token": "wrong"}).status == 403


def test_anybody_checks_a_licence_and_learns_little(town: Town, title: str) -> None:
    visitor = town.app.test_client()
    page = visitor.get(f"/verify?licence={title}", headers={"Accept": "text/html"})
    assert f'value="{title}"' in page.text
    answer = _post_verify(town, text=title)
    assert "有效" in answer
    assert "王**" in answer
    assert "演示路" not in answer
    assert town.looks()[0]["unit"].startswith("公开核验")
    whole = town.act(lambda call: artefacts.credential(call, find(call, title)))
    disclosed = _post_verify(town, text=whole)
    assert "王**" in disclosed
    assert "王小明" not in disclosed
    assert "演示路" not in disclosed


def test_the_public_page_uses_up_no_code(town: Town, title: str) -> None:
    code = town.show(title)
    assert "一次性出示码" in _post_verify(town, text=code)
    assert "一次性出示码" in _post_verify(town, file=qr.png(code))
    assert town.verify(code)["ok"]


def test_a_large_picture_passes_on_pages_and_a_larger_one_is_refused(town: Town) -> None:
    big = qr.png("x" * 100) + b"\0" * (2 * 1024 * 1024)
    assert "无法" in _post_verify(town, file=big)
    client = town.app.test_client()
    too_big = post_form(client, "/verify", {"file": b"\0" * (21 * 1024 * 1024)}, headers={"Accept": "text/html"})
    assert too_big.status_code == 413


def _post_verify(town: Town, **form: Any) -> str:
    client = town.app.test_client()
    page = client.get("/verify", headers={"Accept": "text/html"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    answer = post_form(client, "/verify", {"csrf_token": token[1], **form}, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_large_type_is_remembered_and_shows_a_licence_at_one_tap(town: Town, title: str, card: str) -> None:
    browser = town.browser(ALICE)
    assert "ona-large" not in browser.open("/me").text
    large = browser.open("/me?size=large")
    assert "ona-large" in large.text
    assert large.text.count('action="/me/show"') >= 2, "one button for each card"
    assert "ona-large" in browser.open("/me/show").text
    shown = browser.submit(browser.open("/me"))  # the first card's button
    assert shown.status == 200
    assert "data-state-url" in shown.text
    assert "ona-large" not in browser.open("/me?size=normal").text


def test_a_terminal_checks_a_code_without_a_clerk(town: Town, title: str) -> None:
    assert town.browser(ALICE).open("/terminal").status == 403
    terminal = town.browser(CLERK)
    waiting = terminal.open("/terminal")
    assert terminal.submit(waiting).status == 422
    code = town.show(title)
    answer = terminal.submit(waiting, text=code)
    assert "王**" in answer.text
    assert ALICE not in answer.text
    assert 'data-terminal="60"' in answer.text
    look = town.looks()[0]
    assert (look["unit"], look["purpose"]) == (f"{NAMES[SECURITY]} {WINDOW}", "自助终端核验")
    assert "此码已使用过" in terminal.submit(waiting, text=code).text
