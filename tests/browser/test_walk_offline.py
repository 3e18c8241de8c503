"""Flight mode: the check page and the counter judge licences without a network, and nothing that is scanned leaves."""

import time
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from licences import qr
from licences.formats import lc1_text
from licences.offline.verify import Relied, verify
from licences.trust import bundle
from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor
from tests.browser.test_walk_camera import camera, write_video  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

HOURS = 3600
FACE = {
    "occupation": "电工", "qualification_level": "三级/高级工", "assessed_on": "2021-09-15",
    "assessment_body": "示范市职业技能鉴定中心（演示）",
}  # fmt: skip
TYPE = "11379900DM0001075P001"
CACHED = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found.push(request.url, await (await cache.match(request)).text());
  }
  return found.join("\\n");
}"""
STATES = {"valid": "有效", "suspended": "已暂扣", "revoked": "已撤销", "expired": "已过期"}


class Papers:
    """Paper codes of one citizen's licences, one in each state, and the lists that say so."""

    def __init__(self, live: Live) -> None:
        self.live, self.web = live, requests.Session()
        self.web.trust_env = False
        self.web.request = partial(self.web.request, timeout=60)  # type: ignore[method-assign]
        client = live.client("issuer")
        grant = {"grant_type": "client_credentials", "scope": "licences.issue licences.change licences.read"}
        secret = (client["client_id"], client["client_secret"])
        given = self.web.post(f"{live.url}/oauth/token", data=grant, auth=secret).json()
        self.web.headers["Authorization"] = f"Bearer {given['access_token']}"
        self.holder = live.citizen(6)["id_number"]
        self.codes = {state: self._code(state) for state in STATES}
        self._wait_for_lists()

    def _code(self, state: str) -> str:
        body: dict[str, Any] = {"type": TYPE, "holder": {"number": self.holder}, "fields": FACE}
        if state == "expired":
            body |= {"valid_from": "2020-01-31", "valid_until": "2026-01-31"}
        licence = self._post("/v1/licences", body)["identifier"]
        picture = self.web.get(f"{self.live.url}/v1/licences/{licence}/qr.png?form=lc1")
        (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture.content)), formats=zxingcpp.BarcodeFormat.QRCode)
        if change := {"suspended": "suspend", "revoked": "revoke"}.get(state):
            self._post(f"/v1/licences/{licence}/changes", {"change": change, "reason": "离线核验的演示"})
        return str(found.text)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.web.post(self.live.url + path, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def _wait_for_lists(self) -> None:
        """The publisher signs what changed within seconds; a list of this very second may be older than the change."""
        until = time.monotonic() + 60
        while not all(self._is_listed(state) for state in ("suspended", "revoked")):
            assert time.monotonic() < until, "the status lists were not published"
            time.sleep(0.2)

    def _is_listed(self, state: str) -> bool:
        published = self.web.get(f"{self.live.url}/trust/bundle").text
        listed = self.web.get(f"{self.live.url}/status/0").text
        relied = Relied.on(bundle.read(published, pins=None), [listed])
        return state in verify(self.codes[state], relied, now=datetime.now(UTC)).reasons


@pytest.fixture(scope="module")
def papers(live: Live) -> Papers:
    return Papers(live)


def prepare(visitor: Visitor, path: str) -> None:
    """Open a page online until it says how old its lists are and its worker is there."""
    visitor.open(path)
    expect(visitor.page.locator("[data-lists]")).to_have_class("ona-lists ona-lists--fresh")
    settle(visitor)


def settle(visitor: Visitor) -> None:
    visitor.page.locator("[data-kept]").wait_for()


def depart(visitor: Visitor) -> None:
    """Go into flight mode, and open the page again."""
    visitor.context.set_offline(True)
    visitor.page.reload()


def judge(visitor: Visitor, text: str) -> str:
    visitor.page.evaluate("document.querySelector('[data-answer]').replaceChildren()")
    visitor.page.fill("#text", text)
    visitor.page.keyboard.press("Enter")
    return str(visitor.page.locator(".ona-band__word").inner_text())


def tampered(text: str) -> str:
    content = bytearray(lc1_text.read(text).content)
    content[-1] ^= 1
    return lc1_text.to_base45(bytes(content))


def of_stranger(text: str) -> str:
    content = lc1_text.read(text).content
    kid = content.index(b"\x04\x44") + 2
    return lc1_text.to_base45(content[:kid] + bytes(byte ^ 255 for byte in content[kid : kid + 4]) + content[kid + 4 :])


def test_every_state_is_told_in_flight_mode_and_nothing_is_sent(live: Live, visit: Visit, papers: Papers):
    visitor = visit(width=320)
    sent: list[str] = []

    def note(request: "Request") -> None:
        sent.append(f"{request.method} {request.url} {request.post_data or ''}")

    visitor.context.on("request", note)
    prepare(visitor, "/verify")
    assert judge(visitor, papers.codes["valid"]) == "有效"
    expect(visitor.page.locator(".ona-sheet--result")).to_contain_text("没有发送任何内容")
    expect(visitor.page.locator("[data-online]")).to_be_visible()
    depart(visitor)
    visitor.assert_sound()
    for state, word in STATES.items():
        assert judge(visitor, papers.codes[state]) == word, state
    assert judge(visitor, tampered(papers.codes["valid"])) == "签名无效"
    assert judge(visitor, of_stranger(papers.codes["valid"])) == "无法核验"
    expect(visitor.page.locator(".ona-band")).to_contain_text("签发机关不在信任名单内")
    assert judge(visitor, "LC2:" + papers.codes["valid"][4:]) == "无法核验"
    assert judge(visitor, "7K3MQ9TZ4XWD0H2VRB8NJE5CPG") == "无法核验"  # a show code: the register alone knows it
    assert judge(visitor, papers.codes["valid"]) == "有效"
    result = visitor.page.locator(".ona-sheet--result")
    for said in ("离线结果", papers.holder, "职业资格证书", "三级/高级工", "2021年9月15日"):
        expect(result).to_contain_text(said)
    expect(visitor.page.locator("[data-online]")).to_have_count(0)
    visitor.assert_sound(320, 768, 1280)
    assert not [one for one in sent if papers.codes["valid"][8:40] in one or not one.startswith("GET ")]
    kept = visitor.page.evaluate(CACHED)
    assert "/verify?lang=en" in kept
    assert papers.holder not in kept


def test_the_address_on_paper_opens_in_flight_mode(live: Live, visit: Visit, papers: Papers):
    visitor = visit(language="en", width=320)
    prepare(visitor, "/verify")
    visitor.context.set_offline(True)
    address = lc1_text.to_address(lc1_text.read(papers.codes["suspended"]).content, live.url)
    visitor.page.goto(address)
    expect(visitor.page.locator(".ona-band__word")).to_have_text("Suspended")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    assert (urlsplit(visitor.page.url).path, urlsplit(visitor.page.url).fragment) == ("/verify", "")
    assert address.partition("#")[2] not in visitor.page.evaluate("JSON.stringify(history.state) + location.href")
    visitor.assert_sound()


@pytest.mark.parametrize(
    ("hours", "word", "state"), [(30, "有效", "old"), (4 * 24, "状态信息过旧", "over"), (-1, "时间不符", "fresh")]
)
def test_old_lists_and_a_wrong_clock_are_told(
    live: Live, visit: Visit, papers: Papers, hours: int, word: str, state: str
):
    visitor = visit()
    prepare(visitor, "/verify")
    visitor.page.clock.set_fixed_time(time.time() + hours * HOURS)
    depart(visitor)
    expect(visitor.page.locator("[data-lists]")).to_have_class(f"ona-lists ona-lists--{state}")
    assert judge(visitor, papers.codes["valid"]) == word
    assert judge(visitor, papers.codes["revoked"]) == "已撤销"
    visitor.assert_sound()


def test_a_page_without_lists_cannot_tell_and_keeps_one_edition(live: Live, visit: Visit, papers: Papers):
    visitor = visit()
    visitor.open("/licence-types")
    visitor.page.evaluate("caches.open('ona-check-of-an-older-edition')")
    visitor.open("/verify")
    settle(visitor)
    (kept,) = [name for name in visitor.page.evaluate("caches.keys()") if name.startswith("ona-check-")]
    assert kept != "ona-check-of-an-older-edition"
    visitor.page.evaluate("caches.delete('ona-lists')")
    depart(visitor)
    expect(visitor.page.locator("[data-lists]")).to_have_class("ona-lists ona-lists--none")
    assert judge(visitor, papers.codes["valid"]) == "状态信息过旧"
    visitor.assert_sound()


def test_a_picture_is_read_in_flight_mode(live: Live, visit: Visit, papers: Papers, tmp_path: Path):
    visitor = visit()
    prepare(visitor, "/verify")
    depart(visitor)
    picture = tmp_path / "paper.png"
    picture.write_bytes(qr.png(papers.codes["revoked"]))
    visitor.page.set_input_files("input[name=file]", picture)
    visitor.page.get_by_role("button", name="核验", exact=True).click()
    expect(visitor.page.locator(".ona-band__word")).to_have_text("已撤销")


def test_the_counter_goes_on_in_flight_mode(live: Live, visit: Visit, papers: Papers):
    clerk = visit()
    clerk.log_in(live.clerk(1), "/counter")
    settle(clerk)
    clerk.open("/counter/offline")
    expect(clerk.page.locator("[data-lists]")).to_have_class("ona-lists ona-lists--fresh")
    clerk.open("/counter")
    gone = clerk.page.locator("[data-network-gone]")
    expect(gone).to_be_hidden()
    clerk.context.set_offline(True)
    expect(gone).to_be_visible()
    clerk.page.get_by_role("link", name="改为离线核验").click()
    expect(clerk.page.locator("h1")).to_have_text("离线核验")
    expect(clerk.page.locator("#text")).to_be_focused()
    for state in ("valid", "expired"):
        clerk.page.keyboard.type(papers.codes[state])
        clerk.page.keyboard.press("Enter")
        expect(clerk.page.locator(".ona-band__word")).to_have_text(STATES[state])
        expect(clerk.page.locator("#text")).to_have_value("")
    clerk.page.keyboard.press("Escape")
    expect(clerk.page.locator(".ona-band")).to_have_count(0)
    clerk.assert_sound(320, 768, 1280)
    clerk.open("/counter")  # and whoever opens the counter anew lands here too
    expect(clerk.page.locator("h1")).to_have_text("离线核验")
    named = clerk.page.locator(".ona-header__links")
    expect(named.get_by_role("link", name="退出")).to_have_count(0)


def read_by_camera(live: Live, papers: Papers, devices: tuple["Browser", Path]) -> float:
    """Hold a paper before the camera in flight mode; return the milliseconds from the picture to the answer."""
    browser, video = devices
    visitor = Visitor.arrive(live, browser)
    # So that the answer below is that of the reader we ship, on every system.
    visitor.context.add_init_script("delete window.BarcodeDetector")
    prepare(visitor, "/verify")
    depart(visitor)
    write_video(video, papers.codes["valid"])
    visitor.page.get_by_role("button", name="用摄像头扫码").click()
    expect(visitor.page.locator(".ona-band__word")).to_have_text("有效")
    (taken,) = visitor.page.evaluate("performance.getEntriesByName('ona-answer').map((one) => one.duration)")
    visitor.assert_sound()
    visitor.leave()
    return float(taken)


def test_the_camera_reads_in_flight_mode(
    live: Live,
    papers: Papers,
    camera: tuple["Browser", Path],  # noqa: F811 - the fixture
):
    assert read_by_camera(live, papers, camera) > 0


@pytest.mark.soak
def test_the_camera_s_answer_comes_at_once(
    live: Live,
    papers: Papers,
    camera: tuple["Browser", Path],  # noqa: F811 - the fixture
):
    """On a desk of its own a second: measured where no other test has the processor."""
    assert read_by_camera(live, papers, camera) < 5_000
