"""A citizen at a terminal without a clerk: a scanner gun, a screen to touch, and nothing left for the next one."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Response

LANGUAGES = pytest.mark.parametrize(("language", "valid"), [("zh", "有效"), ("en", "Valid")])


def start(live: Live, visit: Visit, clerk: int = 3, path: str = "/terminal", **options: str) -> Visitor:
    terminal = visit(width=768, **options)
    terminal.log_in(live.clerk(clerk), path)
    return terminal


def code_of(citizen: Visitor, part: str = "masked") -> str:
    """A new code for the citizen's identity card."""
    citizen.open("/me/show")
    citizen.page.get_by_label("居民身份证").check()
    citizen.page.locator(f"input[name=part][value={part}]").check()
    citizen.submit()
    return "".join(citizen.page.locator(".ona-show__code > span:not([class])").all_inner_texts())


def printed(terminal: Visitor) -> "Response":
    """Scan by what has been typed already: end with Enter, and wait for the copy."""
    with terminal.page.expect_response("**/terminal/copies") as answer:
        terminal.page.keyboard.press("Enter")
    return answer.value


@LANGUAGES
def test_a_gun_alone_checks_a_code_and_the_screen_is_cleared(
    live: Live, visit: Visit, language: str, valid: str
) -> None:
    citizen, terminal = visit(width=320), start(live, visit, language=language)
    person = live.citizen(15 if language == "zh" else 16)
    citizen.log_in(person)
    terminal.assert_sound(320, 768, 1280)
    terminal.page.clock.install()
    terminal.open("/terminal")
    terminal.page.locator("h1").click()
    terminal.scan(code_of(citizen))
    expect(terminal.page.locator(".ona-band__word")).to_have_text(valid)
    assert person["id_number"] not in terminal.page.content()
    terminal.assert_sound(320, 768, 1280)
    terminal.page.clock.run_for(40_000)
    terminal.page.locator("h1").click()  # a touch: the minute begins anew
    terminal.page.clock.run_for(40_000)
    expect(terminal.page.locator(".ona-band")).to_have_count(1)
    with terminal.page.expect_navigation():
        terminal.page.clock.run_for(21_000)
    expect(terminal.page.locator(".ona-band")).to_have_count(0)
    expect(terminal.page.locator("#text")).to_be_focused()


def test_a_copy_is_printed_for_what_was_typed_and_nothing_of_it_is_left(live: Live, visit: Visit) -> None:
    citizen, terminal = visit(width=320), start(live, visit)
    citizen.log_in(live.citizen(17))
    link = terminal.page.get_by_role("link", name="打印盖章副本")
    link.focus()
    with terminal.page.expect_navigation():
        terminal.page.keyboard.press("Enter")
    expect(terminal.page.locator("#text")).to_be_focused()
    terminal.assert_sound(320, 768, 1280)

    terminal.scan(code_of(citizen))  # it shows less than the whole
    expect(terminal.page.locator(".govuk-error-summary")).to_contain_text("全部信息，可打印副本")
    terminal.assert_sound()
    with terminal.page.expect_navigation():
        terminal.page.get_by_role("link", name="English").click()
    expect(terminal.page.locator("h1")).to_have_text("Print a sealed copy")
    terminal.open("/terminal/copies?lang=zh")

    terminal.page.locator("#purpose").click()
    expect(terminal.page.locator("#purpose")).to_be_focused()
    terminal.page.keyboard.type("申请公租房")
    terminal.page.keyboard.type(code_of(citizen, "whole"))  # the gun, where the finger was last
    copy = printed(terminal)
    assert (copy.status, copy.headers["content-type"]) == (200, "application/pdf")
    terminal.page.wait_for_load_state()
    citizen.open("/me/accesses")
    newest = citizen.page.locator(".ona-log__entry").first
    for fact in ("申请公租房", live.clerk(3)["counter"], "打印副本"):
        expect(newest).to_contain_text(fact)

    terminal.page.clock.install()
    terminal.open("/terminal/copies")
    terminal.complaints.clear()  # a PDF names no icon, so the browser asked for /favicon.ico
    terminal.page.locator("#purpose").fill("申请公租房")
    with terminal.page.expect_navigation(url="**/terminal"):
        terminal.page.clock.run_for(61_000)


def test_what_a_gun_types_reaches_the_box_from_a_button_and_after_the_purpose(live: Live, visit: Visit) -> None:
    terminal = start(live, visit)
    box = terminal.page.locator("#text")
    terminal.page.get_by_role("link", name="打印盖章副本").focus()
    terminal.page.keyboard.type("ABC")
    expect(box).to_have_value("ABC")
    terminal.open("/terminal/copies")
    terminal.page.locator("#purpose").click()
    terminal.page.keyboard.type("申请公租房")
    terminal.page.keyboard.press("Enter")
    expect(box).to_be_focused()
    expect(terminal.page.locator("#purpose")).to_have_value("申请公租房")


@pytest.mark.parametrize(("language", "own", "other"), [("zh", "zh-CN", "English"), ("en", "en", "中文")])
def test_a_terminal_goes_back_to_the_language_it_was_started_in(
    live: Live, visit: Visit, language: str, own: str, other: str
) -> None:
    terminal = start(live, visit, language=language)
    terminal.page.clock.install()
    terminal.open("/terminal")
    with terminal.page.expect_navigation():
        terminal.page.get_by_role("link", name=other).click()
    expect(terminal.page.locator("html")).not_to_have_attribute("lang", own)
    with terminal.page.expect_navigation():
        terminal.page.clock.run_for(61_000)
    expect(terminal.page.locator("html")).to_have_attribute("lang", own)
    address = terminal.page.url
    terminal.page.clock.run_for(200_000)
    assert terminal.page.url == address, "while it waits it stays as it is"


def test_a_terminal_leads_nowhere_else(live: Live, visit: Visit) -> None:
    terminal = start(live, visit)
    for path in ("/terminal", "/terminal/copies"):
        terminal.open(path)
        links = terminal.page.locator("a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
        assert {link for link in links if link[0] not in "#?"} <= {"/terminal", "/terminal/copies"}
    # In large type too.
    terminal.open("/terminal/copies?size=large")
    expect(terminal.page.locator("html")).to_have_class("govuk-template ona-large")
    terminal.assert_sound(320, 768, 1280)
