"""A phone's camera opens the address on a paper licence: the code reaches the box, and no server on the way there."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect

from tests.browser.conftest import Visit
from tests.browser.live import Live


@pytest.mark.browser
def test_the_address_on_paper_is_checked_with_one_press(live: Live, visit: Visit):
    address = next(text for text in live.members["paper_qr"] if "/V#" in text)
    visitor = visit()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url + (request.post_data or ""))

    visitor.page.on("request", note)
    visitor.page.goto(address)
    expect(visitor.page.locator("#text")).to_have_value(address)
    digits = address.partition("#")[2]
    assert digits[:50] not in "".join(url.partition("#")[0] for url in asked)
    assert (urlsplit(visitor.page.url).path, urlsplit(visitor.page.url).fragment) == ("/verify", "")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".ona-band__word")).to_have_text(re.compile("有效"))
    visitor.assert_sound()
