"""What an administrator asked for who is disabled since: nobody approves it, and everybody sees that it is void."""

from sqlalchemy import update

from idservice.admin.roles import Role
from idservice.models import Person
from tests.functional.test_walk_administration import APP, STAFF, api, browser, do, form, office  # noqa: F401
from tests.identity import City


def test_what_a_disabled_administrator_asked_for_is_shown_as_void_and_not_approved(office: City) -> None:  # noqa: F811
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    asked = system("/clients", APP | {"name": "已失效的申请"}).json
    his = system("/searches", {"number": STAFF[Role.SYSTEM]}).json["subject"]
    pages = browser(office, STAFF[Role.SECURITY])
    approve, refuse = (f'value="{verb}.{asked["request"]}"' for verb in ("approve", "refuse"))
    assert approve in pages.open("/admin/approvals").text
    do(office, update(Person).where(Person.subject == his).values(status="locked"))
    try:
        refused = security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"})
        assert (refused.status_code, refused.json["code"]) == (409, "request_void")
        assert asked["request"] not in [item["id"] for item in security("/approvals").json["items"]]
        page = pages.open("/admin/approvals")
        assert "已失效</span>" in page.text
        assert (approve in page.text, refuse in page.text) == (False, True)
        assert ">Void</span>" in pages.open("/admin/approvals?lang=en").text
        pages.open("/admin/approvals", form(page.text, decision=f"refuse.{asked['request']}"))
    finally:
        do(office, update(Person).where(Person.subject == his).values(status="active"))
    assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).json["code"] == "decided"
