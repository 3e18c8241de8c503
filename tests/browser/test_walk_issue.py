"""An officer issues a licence, suspends it and resumes it; the counter sees each state at once."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Account, Live, Visitor

DRIVING_LICENCE = "机动车驾驶证"


def driving_licence(visitor: Visitor) -> dict[str, Any]:
    found = visitor.context.request.get(visitor.live.url + "/v1/licence-types").json()
    return next(kind for kind in found["items"] if kind["name"] == DRIVING_LICENCE)


def without(live: Live, code: str) -> Account:
    return next(p for p in map(live.citizen, range(100)) if not any(code in licence for licence in p["licences"]))


def change(officer: Visitor, title: str, reason: str) -> None:
    officer.page.get_by_label(title, exact=True).check()
    officer.page.fill("#reason", reason)
    officer.submit()


def checked(clerk: Visitor, identifier: str) -> str:
    clerk.scan(identifier)
    return str(clerk.page.locator(".ona-band__word").inner_text())


def test_officer_issues_suspends_and_resumes(live: Live, visit: Visit):
    officer, clerk = visit(), visit()
    kind = driving_licence(officer)
    holder = without(live, kind["code"])
    officer.log_in(live.officer(), "/admin")
    with officer.page.expect_navigation():
        officer.page.get_by_role("link", name=f"签发 {DRIVING_LICENCE}").click()

    officer.submit()  # everything that is missing is named at once
    expect(officer.page.locator(".govuk-error-summary li")).to_have_count(1 + len(kind["fields"]))
    officer.assert_sound()

    officer.page.fill("#number", holder["id_number"])
    for field in kind["fields"]:
        control = officer.page.locator(f"[name='field.{field['name']}']")
        if field.get("choices"):
            control.select_option(field["example"])
        else:
            control.fill(str(field["example"]))
    officer.submit()
    expect(officer.page.get_by_role("heading", level=1)).to_have_text("已签发")
    officer.assert_sound()
    with officer.page.expect_navigation():
        officer.page.get_by_role("link", name="查看这份证照").click()
    expect(officer.page.get_by_role("heading", level=1)).to_have_text(DRIVING_LICENCE)
    identifier = officer.page.url.rpartition("/")[2]
    assert holder["name"] not in officer.page.content()

    clerk.log_in(live.clerk(), "/counter")
    clerk.page.select_option("#purpose", label="核对身份")
    clerk.page.focus("#text")
    assert checked(clerk, identifier) == "有效"
    change(officer, "暂扣", "演示：违规记分")
    officer.assert_sound()
    assert checked(clerk, identifier) == "已暂扣"
    change(officer, "恢复", "演示：学习完毕")
    assert checked(clerk, identifier) == "有效"

    history = officer.page.locator(".ona-log__entry strong")
    assert history.all_inner_texts() == ["签发", "暂扣", "恢复"]
    officer.open(f"/admin/licences?identifier={identifier}")
    expect(officer.page.get_by_role("heading", level=1)).to_have_text(DRIVING_LICENCE)


def test_officer_of_another_department_finds_nothing(live: Live, visit: Visit):
    officer = visit()
    officer.log_in(live.officer(1), f"/admin/licences?identifier={live.citizen(0)['licences'][0]}")
    expect(officer.page.locator(".govuk-error-summary")).to_contain_text("没有找到这份证照")
