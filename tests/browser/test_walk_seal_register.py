"""An officer applies for a seal and watches it take shape, then seals a pile of letters in one go."""

from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import Visit
from tests.browser.live import Live


def test_the_picture_follows_the_form(live: Live, visit: Visit):
    officer = visit()
    officer.log_in(live.officer())
    officer.open("/seals/apply")
    picture = officer.page.locator("[data-seal-picture]")
    before = picture.get_attribute("src")
    assert before.startswith("data:image/svg+xml")
    officer.page.select_option("#kind", "special")
    officer.page.fill("#special", "演示专用章")
    expect(picture).not_to_have_attribute("src", before)
    assert "preview.svg" in picture.get_attribute("src")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth > 0")
    officer.page.fill("#reason", "启用新业务")
    officer.submit()
    expect(officer.page.locator("main")).to_contain_text("待审批")
    officer.assert_sound()


def test_a_pile_of_letters_is_confirmed_once_and_goes_on_by_itself(live: Live, visit: Visit):
    officer = visit()
    officer.log_in(live.officer())
    department = live.members["departments"][0]
    officer.open(f"/seals/{department['seal_id']}/use")
    letters = [FilePayload(name=f"{n}.txt", mimeType="text/plain", buffer=f"letter {n}".encode()) for n in range(12)]
    officer.page.set_input_files("#files", letters)
    officer.page.fill("#purpose", "函件")
    officer.submit()
    expect(officer.page.locator(".ona-drafts__item")).to_have_count(12)
    officer.submit()
    expect(officer.page.locator("main h1")).to_have_text("盖章结果")
    expect(officer.page.locator(".ona-drafts .ona-tag--good")).to_have_count(12)
    officer.assert_sound()
    with officer.page.expect_download() as taken:
        officer.page.get_by_text("下载全部").click()
    assert taken.value.suggested_filename.endswith(".zip")
