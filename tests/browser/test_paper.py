"""A phone's camera opens the address on a paper licence: the page judges the code, and no server gets it unasked."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect

from tests.browser.conftest import Visit
from tests.browser.live import Live


@pytest.mark.browser
def test_the_address_on_paper_is_checked_by_the_page_and_with_one_press_by_the_register(live: Live, visit: Visit):
    address = next(text for text in live.members["paper_qr"] if "/V#" in text)
    visitor = visit()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url + (request.post_data or ""))

    visitor.page.on("request", note)
    visitor.page.goto(address)
    expect(visitor.page.locator("#text")).to_have_value(address)
    expect(visitor.page.locator(".ona-band__word")).to_have_text("有效")
    digits = address.partition("#")[2]
    assert digits[:50] not in "".join(url.partition("#")[0] for url in asked)
    assert (urlsplit(visitor.page.url).path, urlsplit(visitor.page.url).fragment) == ("/verify", "")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="发送给本站，联网核验").click()
    expect(visitor.page.locator(".ona-band__word")).to_have_text("有效")
    expect(visitor.page.locator(".ona-sheet--result")).not_to_contain_text("没有发送任何内容")
    visitor.assert_sound()
