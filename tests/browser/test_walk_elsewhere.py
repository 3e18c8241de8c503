"""A screen asks and a person answers on his telephone, in a real Chromium: devices (RFC 8628) and CIBA."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"


def ask(visitor: Visitor, endpoint: str, client: dict[str, Any], **form: str) -> Any:
    """Post to an endpoint that discovery names, as the app does."""
    request = visitor.context.request
    found = request.get(visitor.live.url + "/.well-known/openid-configuration").json()
    headers = {}
    if "client_secret" in client:
        secret = b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}"}
    else:
        form = {"client_id": client["client_id"], **form}
    return request.post(found[endpoint], form=form, headers=headers)


def answer(visitor: Visitor, decision: str) -> None:
    with visitor.page.expect_navigation():
        visitor.page.locator(f"button[name=decision][value={decision}]").click()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_citizen_logs_in_on_a_kiosk(live: Live, visit: Visit, language: str):
    client = live.client("app-device")
    visitor = visit(width=320, language=language)
    started = ask(visitor, "device_authorization_endpoint", client, scope="openid profile offline_access").json()
    visitor.log_in(live.stranger(), "/device")
    visitor.assert_sound(320, 1280)
    visitor.page.fill("#user_code", started["user_code"].lower())
    visitor.submit()
    visitor.assert_sound(320, 1280)
    assert started["user_code"] not in visitor.page.url
    answer(visitor, "allow")
    visitor.assert_sound(320, 1280)
    got = ask(visitor, "token_endpoint", client, grant_type=DEVICE, device_code=started["device_code"])
    assert got.ok, got.text()
    assert got.json()["id_token"]


def test_a_citizen_follows_the_code_on_the_kiosk_and_recognises_its_ending(live: Live, visit: Visit):
    client = live.client("app-device")
    visitor = visit(width=320)
    started = ask(visitor, "device_authorization_endpoint", client, scope="openid").json()
    visitor.log_in(live.stranger(), started["verification_uri_complete"].removeprefix(live.url))
    answer(visitor, "allow")
    expect(visitor.page.locator(".govuk-error-message")).to_contain_text("请选择一组")
    visitor.assert_sound(320, 1280)
    visitor.page.get_by_label("-" + started["user_code"][5:]).check()
    answer(visitor, "allow")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("已同意")
    assert ask(visitor, "token_endpoint", client, grant_type=DEVICE, device_code=started["device_code"]).ok


def test_a_citizen_confirms_the_login_of_a_desk(live: Live, visit: Visit):
    client, citizen = live.client("app-ciba"), live.stranger()
    visitor = visit(width=320)
    form = {"scope": "openid profile", "login_hint": citizen["id_number"], "binding_message": "窗口 3 号 W4SCT"}
    started = ask(visitor, "backchannel_authentication_endpoint", client, **form).json()
    visitor.log_in(citizen, live.members["approvals_url"].removeprefix(live.url))
    expect(visitor.page.locator("main")).to_contain_text("窗口 3 号 W4SCT")
    visitor.assert_sound(320, 1280)
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("link", name="查看并确认").click()
    visitor.page.fill("#code", "000000" if started["binding_code"] != "000000" else "111111")
    answer(visitor, "allow")
    expect(visitor.page.locator("#code")).to_have_attribute("aria-invalid", "true")
    visitor.assert_sound(320, 1280)
    shown = ask(visitor, "backchannel_binding_code_endpoint", client, auth_req_id=started["auth_req_id"]).json()
    visitor.page.fill("#code", shown["binding_code"])
    answer(visitor, "allow")
    visitor.assert_sound(320, 1280)
    got = ask(visitor, "token_endpoint", client, grant_type=CIBA, auth_req_id=started["auth_req_id"])
    assert got.ok, got.text()


def test_a_citizen_scans_the_code_of_the_desk_and_denies(live: Live, visit: Visit):
    client, citizen = live.client("app-ciba"), live.stranger()
    visitor = visit()
    started = ask(
        visitor, "backchannel_authentication_endpoint", client, scope="openid", login_hint=citizen["id_number"]
    ).json()
    visitor.log_in(citizen, started["binding_qr_text"].removeprefix(live.url))
    expect(visitor.page.locator("#code")).to_have_value(started["binding_code"])
    answer(visitor, "deny")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("已拒绝")
    visitor.assert_sound(320, 1280)
    refused = ask(visitor, "token_endpoint", client, grant_type=CIBA, auth_req_id=started["auth_req_id"])
    assert refused.json()["error"] == "access_denied"
