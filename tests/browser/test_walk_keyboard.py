"""A citizen without a mouse: he logs in, shows a licence, questions a look, answers a counter and withdraws consent."""

import gettext
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

import idservice
from tests.browser.conftest import App, Visit
from tests.browser.keyboard import Keyboard
from tests.browser.live import Account, Live, Visitor

SIZES = pytest.mark.parametrize(("language", "width"), [("zh", 1280), ("en", 320)])
CARD = {"zh": "居民身份证", "en": "Resident identity card"}
MASKED = {"zh": "全部信息，遮盖", "en": "Everything, masked"}


def words_of(language: str) -> Callable[[str], str]:
    """What a page in this language says for a text."""
    folder = Path(idservice.__file__).parent / "translations"
    return gettext.translation("messages", folder, ["en"]).gettext if language == "en" else str


def log_in(visitor: Visitor, account: Account, path: str, said: Callable[[str], str]) -> Keyboard:
    """Open a page by its address, and log in on the way."""
    keys = Keyboard(visitor.page)
    visitor.open(path)
    keys.to(said("证件号码"))
    keys.write(account["id_number"].lower())
    keys.to(said("密码"))
    keys.write(account["password"])
    keys.to(said("登录"))
    keys.back_to(said("密码"))
    keys.follow()
    return keys


def to_main(visitor: Visitor, keys: Keyboard, said: Callable[[str], str]) -> None:
    """Skip what heads every page."""
    keys.to(said("跳到主要内容"))
    keys.press("Enter")
    expect(visitor.page.locator("#main")).to_be_focused()


def picture_of(visitor: Visitor, place: str) -> str:
    """The code on a screen, as a scanner reads it."""
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(visitor.page.locator(place).screenshot())))
    return str(found.text)


def verify(live: Live, clerk: Visitor, code: str) -> None:
    clerk.log_in(live.clerk(), "/counter")
    clerk.page.select_option("#purpose", label="核对身份")
    clerk.page.focus("#text")
    clerk.scan(code)
    expect(clerk.page.locator(".ona-band__word")).to_have_text("有效")


@SIZES
def test_a_licence_is_shown_and_the_look_questioned(live: Live, visit: Visit, language: str, width: int) -> None:
    said, citizen = words_of(language), visit(language=language, width=width)
    page = citizen.page
    keys = log_in(citizen, live.citizen(12 if language == "zh" else 13), "/me", said)
    keys.to(said("亮证"))
    keys.follow()
    to_main(citizen, keys, said)
    keys.to(CARD[language])
    keys.press("Space")
    expect(page.get_by_label(CARD[language])).to_be_checked()
    keys.to(MASKED[language])
    for key in ("ArrowDown", "ArrowUp"):  # each leads to the other answer and chooses it
        keys.press(key)
        expect(page.locator("input[name=part]:focus")).to_be_checked()
    expect(page.locator("input[name=part][value=masked]")).to_be_checked()
    keys.to(said("生成二维码"))
    keys.follow()
    verify(live, visit(), picture_of(citizen, ".ona-show__qr"))
    expect(page.locator("[data-used]")).to_be_visible()

    keys.to(said("谁看过"))
    keys.follow()
    to_main(citizen, keys, said)
    keys.to(said("存证证明和质疑"))
    keys.follow()
    to_main(citizen, keys, said)
    keys.to(said("提出质疑"))
    keys.follow("Space")  # without a word
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")  # each problem leads to its field
    expect(page.locator("#text")).to_be_focused()
    keys.write("那天我不在窗口")
    keys.to(said("提出质疑"))
    keys.follow()
    expect(page.locator(".ona-sheet")).to_contain_text("那天我不在窗口")


@SIZES
def test_a_counter_is_answered(live: Live, visit: Visit, language: str, width: int) -> None:
    said, clerk, citizen = words_of(language), visit(), visit(language=language, width=width)
    clerk.log_in(live.clerk(), "/counter/ask")
    clerk.page.select_option("#purpose", label="核对身份")
    clerk.page.get_by_label("是否年满 18 周岁").check()
    clerk.submit()
    path = "/me/requests/" + picture_of(clerk, ".ona-asked__qr").rpartition("/")[2]

    keys = log_in(citizen, live.citizen(12 if language == "zh" else 13), path, said)
    to_main(citizen, keys, said)
    keys.to(CARD[language])
    keys.press("Space")
    keys.to(said("同意并答复"))
    keys.follow()
    number = citizen.page.locator(".ona-asked__number strong").inner_text()
    expect(clerk.page.locator(".ona-band__word")).to_have_text("是")
    expect(clerk.page.locator(".ona-asked__number strong")).to_have_text(number)


@SIZES
def test_a_consent_is_given_and_withdrawn(live: Live, visit: Visit, app: App, language: str, width: int) -> None:
    client, answers = app
    said, citizen = words_of(language), visit(language=language, width=width)
    keys = log_in(citizen, live.stranger(), live.authorize_path(client), said)
    to_main(citizen, keys, said)
    keys.to(said("同意"))
    keys.press("Enter")
    citizen.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["code"]

    citizen.open("/me/apps")
    to_main(citizen, keys, said)
    keys.to(said("收回对“%(name)s”的授权").partition("%")[0])
    keys.follow()
    expect(citizen.page.locator("main")).to_contain_text(said("您还没有授权任何应用。"))


@SIZES
def test_every_stop_of_a_page_is_in_order(live: Live, visit: Visit, language: str, width: int) -> None:
    said, citizen = words_of(language), visit(language=language, width=width)
    keys = log_in(citizen, live.citizen(12), "/me", said)
    keys.to(said("接口文档"))
    for path in ("/me/show", "/me/accesses", "/me/mandates", "/me/security", "/me?size=large"):
        citizen.open(path)
        keys.to(said("接口文档"))
