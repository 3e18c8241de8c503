"""A clerk's screen shows a request, a citizen scans it with his telephone, and the clerk's screen answers by itself."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_citizen_answers_a_counter_by_yes(live: Live, visit: Visit, scripts: bool) -> None:
    citizen, clerk = visit(java_script_enabled=scripts, width=320), visit(java_script_enabled=scripts)
    clerk.log_in(live.clerk(0 if scripts else 1), "/counter/ask")
    clerk.page.select_option("#purpose", label="核对身份")
    clerk.page.get_by_label("是否年满 18 周岁").check()
    clerk.submit()
    picture = Image.open(io.BytesIO(clerk.page.locator(".ona-asked__qr").screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    asked = clerk.page.url
    if scripts:
        clerk.assert_sound()

    citizen.log_in(live.citizen(9 if scripts else 10), "/me/requests/" + found.text.rpartition("/")[2])
    expect(citizen.page.locator(".ona-facts")).to_contain_text("是否年满 18 周岁")
    citizen.page.get_by_label("居民身份证").check()
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("button", name="同意并答复").click()
    number = citizen.page.locator(".ona-asked__number strong").inner_text()

    if not scripts:
        clerk.page.get_by_role("link", name="查看是否已答复").click()
        clerk.page.get_by_role("button", name="查看结果").click()
    expect(clerk.page.locator(".ona-band__word")).to_have_text("是")
    expect(clerk.page.locator(".ona-asked__number strong")).to_have_text(number)
    assert clerk.page.url == asked
    if scripts:
        clerk.assert_sound()


@pytest.mark.parametrize(("language", "wish"), [("zh", "敬老模式（大字）"), ("en", "Large type")])
def test_large_type_shows_a_licence_at_one_tap(live: Live, visit: Visit, language: str, wish: str) -> None:
    citizen = visit(width=320, language=language)
    citizen.log_in(live.citizen(11))
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("link", name=wish).click()
    expect(citizen.page.locator("html")).to_have_class("govuk-template ona-large")
    citizen.assert_sound(320, 768, 1280)
    for tag in citizen.page.locator(".ona-card .ona-tag").all():  # what a card cuts off makes no page wider
        box = tag.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 320
    with citizen.page.expect_navigation():
        citizen.page.locator(".ona-cards__show").first.click()
    citizen.assert_sound(320, 1280)
    for path in ("/me/show", "/me/accesses", "/me/security", "/", "/verify"):
        citizen.open(path)
        citizen.assert_sound(320)
