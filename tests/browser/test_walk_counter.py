"""A citizen shows a licence, a clerk verifies it or looks proofs up, and the citizen sees who looked."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
# What is played, as (hertz, whether the browser let it sound).
HEARD = """
window.heard = [];
const start = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (when) {
  window.heard.push([this.frequency.value, this.context.state]);
  return start.call(this, when);
};
"""
WITHOUT_LICENCE, WITH_LICENCE = "查无", "已查到证照"


def shown_code(visitor: Visitor) -> str:
    """The code on the holder's screen, as a scanner reads it from a picture of the screen."""
    picture = Image.open(io.BytesIO(visitor.page.locator(".ona-show__qr").screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == "".join(visitor.page.locator(".ona-show__code > span:not([class])").all_inner_texts())
    return str(found.text)


def at_counter(visitor: Visitor, live: Live, clerk: int) -> None:
    """Log a clerk in and let him choose what this shift is about; the focus goes back to the scan box."""
    visitor.log_in(live.clerk(clerk), "/counter")
    visitor.page.select_option("#purpose", label="核对身份")
    visitor.page.focus("#text")


def answer(visitor: Visitor) -> str:
    return str(visitor.page.locator(".ona-band__word").inner_text())


@SCRIPTS
def test_shown_licence_is_verified_once(live: Live, visit: Visit, scripts: bool):
    citizen, clerk = visit(java_script_enabled=scripts, width=320), visit(java_script_enabled=scripts)
    citizen.log_in(live.citizen(7 if scripts else 8))
    for role, name in (("link", "居民身份证"), ("button", "出示这份证照")):
        with citizen.page.expect_navigation():
            citizen.page.get_by_role(role, name=name).click()
    expect(citizen.page.get_by_role("heading", level=1)).to_have_text("居民身份证")
    code = shown_code(citizen)
    if scripts:
        citizen.assert_sound()

    at_counter(clerk, live, 0 if scripts else 1)
    clerk.scan(code)
    assert answer(clerk) == "有效"
    assert "ona-band--good" in clerk.page.locator(".ona-band").get_attribute("class")
    assert live.citizen(7)["id_number"] not in clerk.page.content()
    expect(clerk.page.locator(".ona-check")).to_have_count(3)

    if scripts:  # the holder's screen says so by itself, and covers the code that is used up
        seen = citizen.page.locator("[data-seen]")
        expect(seen).to_be_visible()
        expect(seen).to_contain_text(live.clerk(0)["counter"])
        expect(citizen.page.locator("[data-used]")).to_be_visible()
        citizen.assert_sound()
        clerk.assert_sound()
    else:
        clerk.page.focus("#text")

    clerk.scan(code)
    assert answer(clerk) == "此码已使用过"
    expect(clerk.page.locator(".ona-band__next")).to_have_text("可能是截图。请持证人当面换一个新码，再扫一次。")
    expect(clerk.page.locator(".ona-recent li")).to_have_count(2)

    citizen.open("/me/accesses")
    newest = citizen.page.locator(".ona-log__entry").first
    expect(newest).to_contain_text(live.clerk(0 if scripts else 1)["counter"])
    for fact in ("核对身份", "遮盖后的证照内容", "本人现场出示"):
        expect(newest).to_contain_text(fact)


def test_several_licences_are_shown_at_once(live: Live, visit: Visit):
    citizen, clerk = visit(), visit(width=320)
    citizen.log_in(live.citizen(0), "/me/show")
    for name in ("居民身份证", "机动车驾驶证"):
        citizen.page.get_by_label(name).check()
    citizen.submit()
    code = shown_code(citizen)
    at_counter(clerk, live, 2)
    clerk.scan(code)
    assert answer(clerk) == "有效"
    expect(clerk.page.locator(".ona-several")).to_have_count(2)
    expect(clerk.page.locator(".ona-check")).to_have_count(1 + 2 * 2)
    clerk.assert_sound()


def test_scan_that_ends_with_two_returns_is_one_scan(live: Live, visit: Visit):
    citizen, clerk = visit(), visit()
    citizen.log_in(live.citizen(9), "/me/show")
    citizen.page.get_by_label("居民身份证").check()
    citizen.submit()
    code = shown_code(citizen)
    at_counter(clerk, live, 3)
    with clerk.page.expect_navigation():
        clerk.page.keyboard.type(code)
        clerk.page.keyboard.press("Enter")
        clerk.page.keyboard.press("Enter")
    assert answer(clerk) == "有效"
    clerk.page.keyboard.press("Enter")  # into the empty box: the answer stays
    expect(clerk.page.locator(".ona-recent li")).to_have_count(1)
    assert answer(clerk) == "有效"


def heard(visitor: Visitor, *tones: int) -> bool:
    """Whether a page plays these tones (Hz), one after the other, and no others."""
    expect(visitor.page.locator("[data-sound]")).to_be_visible()
    visitor.page.wait_for_function("count => window.heard.length >= count", arg=len(tones))
    return bool(visitor.page.evaluate("window.heard") == [[tone, "running"] for tone in tones])


def test_each_answer_has_a_sound_of_its_own_once_the_clerk_wants_it(live: Live, visit: Visit):
    citizen, clerk = visit(), visit()
    citizen.log_in(live.citizen(18), "/me/show")
    citizen.page.get_by_label("居民身份证").check()
    citizen.submit()
    code = shown_code(citizen)
    clerk.context.add_init_script(HEARD)
    at_counter(clerk, live, 0)
    clerk.scan("no-code-at-all")
    assert heard(clerk), "it is silent until it is asked for"
    clerk.page.get_by_label("用声音提示结果").check()
    assert heard(clerk, 880)
    clerk.scan(code)
    assert heard(clerk, 880)
    clerk.scan(code)
    assert answer(clerk) == "此码已使用过"
    assert heard(clerk, 440, 440)
    clerk.scan("no-code-at-all")
    assert heard(clerk, 330, 220)


def test_clerk_looks_proofs_up(live: Live, visit: Visit):
    citizen, clerk = visit(), visit()
    citizen.log_in(live.citizen(0), "/me/show")
    citizen.page.get_by_label("不动产权证书").check()
    citizen.submit()
    clerk.log_in(live.clerk(1), "/counter/lookup")
    clerk.page.fill("#matter", "食品经营许可申请")
    clerk.page.keyboard.press("Tab")
    for typed in (live.citizen(0)["id_number"], "受理许可申请", "DEMO-2026-000123"):
        clerk.page.keyboard.type(typed)
        clerk.page.keyboard.press("Tab")
    clerk.page.keyboard.press("Tab")  # past the kinds of authorisation, where the first is chosen
    clerk.scan(shown_code(citizen))  # a gun ends with Enter: nothing may be left to fill in
    proofs = clerk.page.locator(".ona-proof")
    expect(proofs).to_have_count(2)
    expect(proofs.nth(0)).to_contain_text(WITHOUT_LICENCE)
    expect(proofs.nth(1)).to_contain_text(WITH_LICENCE)
    expect(clerk.page.locator(".ona-receipt")).to_contain_text("DEMO-2026-000123")
    assert live.citizen(0)["id_number"] not in clerk.page.content()
    clerk.assert_sound()

    citizen.open("/me/accesses")
    newest = citizen.page.locator(".ona-log__entry").first
    for fact in ("窗口查询", "食品经营许可申请", "受理许可申请", "DEMO-2026-000123", "坐落"):
        expect(newest).to_contain_text(fact)


def test_lookup_without_authorisation_shows_nothing(live: Live, visit: Visit):
    clerk = visit()
    clerk.log_in(live.clerk(2), "/counter/lookup")
    clerk.page.fill("#matter", "食品经营许可申请")
    clerk.page.fill("#number", live.citizen(0)["id_number"])
    clerk.page.fill("#code", "7K3MQ9TZ4XWD0H2VRB8NJE5CPG")
    clerk.page.fill("#purpose", "受理许可申请")
    clerk.page.fill("#case_number", "DEMO-2026-000124")
    clerk.submit()
    expect(clerk.page.locator(".govuk-error-summary")).to_contain_text("出示码")
    assert clerk.page.locator(".ona-proof").count() == 0


def test_keyboard_alone_serves_the_counter(live: Live, visit: Visit):
    clerk = visit()
    clerk.log_in(live.clerk(3), "/counter")
    page = clerk.page
    expect(page.locator("#text")).to_be_focused()
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert reached == ["purpose", "改为上传图片、PDF 或 OFD", "核验"]
    page.focus("#purpose")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#text")).to_be_focused()
    clerk.scan(live.citizen(0)["licences"][0])
    assert answer(clerk) == "有效"
    page.keyboard.press("Escape")
    expect(page.locator("[data-answer] *")).to_have_count(0)
    expect(page.locator("#text")).to_be_focused()
    assert page.input_value("#purpose") != ""
