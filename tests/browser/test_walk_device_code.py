"""A telephone in flight mode makes a code itself; a verifier without a network and a counter with one read it."""

import io
from datetime import UTC, datetime
from urllib.request import urlopen

import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from licences.offline.verify import Relied, verify
from licences.qr_symbol import symbol
from licences.trust import bundle
from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor

#: Wait until the worker has the page: from then on no network is needed.
CONTROLLED = """navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller ||
  new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done))).then(() => true)"""


def code_on(visitor: Visitor) -> str:
    """What a camera reads from the telephone's screen, at the size it has there."""
    drawn = visitor.page.locator("svg[data-symbol]")
    expect(drawn).to_have_attribute("data-version", "12")
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn.screenshot())))
    return found.text


def open_card(visitor: Visitor, name: str) -> None:
    visitor.page.locator("[data-list]").get_by_role("button", name=name).first.click()


def fetched_by_a_verifier(live: Live) -> Relied:
    with urlopen(f"{live.url}/trust/bundle") as answer:
        return Relied.on(bundle.read(answer.read().decode(), pins=None))


def test_a_licence_is_shown_in_flight_mode(live: Live, visit: Visit) -> None:
    relied = fetched_by_a_verifier(live)
    citizen = visit(width=320)
    citizen.log_in(live.citizen(13), "/me/offline/devices")
    citizen.assert_sound()
    citizen.page.get_by_label("居民身份证").check()
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("button", name="领取到本机").click()
    citizen.page.evaluate(CONTROLLED)

    citizen.context.set_offline(True)
    citizen.page.reload()
    citizen.assert_sound()
    open_card(citizen, "居民身份证")
    citizen.assert_sound(320, 768, 1280)
    clerk = visit()
    clerk.log_in(live.clerk(3), "/counter")
    clerk.page.select_option("#purpose", label="核对身份")
    first = code_on(citizen)  # good for a minute: everything is ready that needs longer
    assert symbol(first).version <= 12
    report = verify(first, relied, now=datetime.now(UTC))
    assert report.scanned == "device_code"
    assert report.ok, report.as_json()
    assert report.licence is not None
    assert report.licence["licence_name"] == "居民身份证"
    assert report.licence["holder_name"][0].endswith("*")

    clerk.scan(first)
    expect(clerk.page.locator(".ona-band__word")).to_have_text("有效")
    expect(clerk.page.locator(".ona-sheet--result")).to_contain_text("居民身份证")
    clerk.scan(first)
    expect(clerk.page.locator(".ona-sheet--result")).to_contain_text("请持证人当面换一个新码")

    citizen.page.goto(f"{live.url}/me/offline?lang=en&size=large")
    expect(citizen.page.locator("html")).to_have_class("govuk-template ona-large")
    open_card(citizen, "Resident identity card")
    citizen.assert_sound()
    second = code_on(citizen)
    assert second != first
    clerk.scan(second)
    expect(clerk.page.locator(".ona-band__word")).to_have_text("有效")

    citizen.context.set_offline(False)
    citizen.page.goto(f"{live.url}/me/offline/devices?lang=zh")
    expect(citizen.page.locator("[data-device] [data-this]")).to_be_visible()
    citizen.page.get_by_role("button", name="停用").first.click()
    expect(citizen.page.get_by_role("status")).to_have_text("本机的离线证照已停用并删除。")
    expect(citizen.page.locator("[data-device]")).to_have_count(0)
    citizen.page.goto(f"{live.url}/me/offline")
    expect(citizen.page.get_by_role("link", name="设置本机")).to_be_visible()


def test_codes_are_renewed_while_somebody_looks_and_a_clock_turned_back_is_noticed(live: Live, visit: Visit) -> None:
    relied, citizen = fetched_by_a_verifier(live), visit(width=320)
    citizen.log_in(live.citizen(14), "/me/offline/devices")
    citizen.page.get_by_label("居民身份证").check()
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("button", name="领取到本机").click()
    citizen.page.evaluate(CONTROLLED)
    citizen.context.set_offline(True)
    citizen.page.clock.install()
    citizen.page.reload()
    citizen.page.get_by_text("只给一个单位核验").click()
    citizen.page.get_by_label("单位的统一社会信用代码").fill(live.clerk()["department"].lower())
    open_card(citizen, "居民身份证")
    first = code_on(citizen)
    for unit, reasons in ((live.clerk()["department"], []), ("9" * 18, ["wrong_audience"])):
        assert verify(first, relied, now=datetime.now(UTC), unit=unit).reasons == reasons
    drawn = citizen.page.locator("svg[data-symbol] path")
    before = drawn.get_attribute("d")
    assert before
    citizen.page.clock.run_for(32_000)
    expect(drawn).not_to_have_attribute("d", before)
    expect(citizen.page.locator("[data-left]")).to_contain_text("秒内有效")
    second = code_on(citizen)
    assert second != first

    citizen.page.clock.set_system_time(datetime.now(UTC).timestamp() - 600)
    citizen.page.get_by_role("button", name="结束出示").click()
    open_card(citizen, "居民身份证")
    expect(citizen.page.get_by_role("alert").filter(has_text="被调回过去")).to_be_visible()
    expect(citizen.page.locator("svg[data-symbol] path")).to_have_count(0)
