"""An officer answers a check from his inbox by keyboard; a citizen reads a commitment to its end and signs it."""

import pyotp
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live

WHO_COMMITS = 64  # licences.demo.cases


def test_an_officer_answers_from_his_inbox(live: Live, visit: Visit):
    officer, clerk, citizen = visit(), visit(width=320), visit(width=320)
    officer.log_in(live.officer(0), "/assists")
    rows = officer.page.locator(".ona-cases tbody tr")
    expect(rows.first).to_contain_text("DEMO-")
    officer.assert_sound()
    link = rows.filter(has_text="DEMO-0001").get_by_role("link")
    link.focus()
    with officer.page.expect_navigation():
        officer.page.keyboard.press("Enter")
    assert live.citizen(60)["id_number"] not in officer.page.content()
    with officer.page.expect_navigation():
        officer.page.get_by_role("button", name="由我办理").press("Enter")
    expect(officer.page.get_by_text(live.citizen(60)["id_number"])).to_be_visible()
    officer.assert_sound()
    officer.page.get_by_label("属实", exact=True).check()
    officer.page.fill("#text", "经查，没有犯罪记录。")
    with officer.page.expect_navigation():
        officer.page.keyboard.press("Enter")
    expect(officer.page.locator("article .ona-tag--good")).to_have_text("已答复")

    clerk.log_in(live.clerk(0), "/assists/asked?state=answered")
    with clerk.page.expect_navigation():
        clerk.page.locator(".ona-cases a").first.click()
    clerk.assert_sound()
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="下载盖章答复").click()
    clerk.open("/verify/seal")
    clerk.page.set_input_files("input[name=file]", download.value.path())
    clerk.submit()
    expect(clerk.page.locator(".ona-band--good").first).to_be_visible()
    clerk.open("/assists/figures")
    expect(clerk.page.locator(".ona-bar").first).to_be_visible()
    clerk.assert_sound()

    citizen.log_in(live.citizen(60), "/me/accesses")
    for act in ("协查办理", "查看协查答复"):
        expect(citizen.page.locator(".ona-log__entry", has_text=act).first).to_be_visible()


def test_a_citizen_signs_what_he_has_read(live: Live, visit: Visit):
    citizen = visit(width=320)
    citizen.log_in(live.citizen(WHO_COMMITS), "/me/commitments")
    citizen.assert_sound()
    with citizen.page.expect_navigation():
        citizen.page.locator(".ona-log__entry a").first.click()
    expect(citizen.page.locator(".ona-inset")).to_contain_text("本人")
    citizen.assert_sound()
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("button", name="签署").click()
    # A browser that has not been here before: one factor is not enough.
    citizen.page.fill("#code", pyotp.TOTP(live.citizen(WHO_COMMITS)["totp_secret"]).now())
    citizen.submit()
    with citizen.page.expect_navigation():
        citizen.page.get_by_role("button", name="签署").click()
    expect(citizen.page.locator("article .ona-tag--good")).to_have_text("已签署")
    with citizen.page.expect_download() as download:
        citizen.page.get_by_role("link", name="下载已签署的承诺").click()
    assert download.value.path().read_text().count(".") == 2
    citizen.assert_sound()
