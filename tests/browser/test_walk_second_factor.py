"""A second factor in the demonstration city: by the app whose secret stands in FILE, and by SMS from DIR/sms.jsonl."""

import json
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.live import Live, Visitor

TWO_FACTOR = "urn:ona:acr:two-factor"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def messages(live: Live) -> list[dict[str, Any]]:
    path = Path(live.members["environment"]["ONA_SMS_SENDER"].removeprefix("file:"))
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def asked(live: Live, visitor: Visitor, client: dict[str, Any]) -> dict[str, Any]:
    citizen = live.stranger()
    visitor.log_in(citizen, f"{live.authorize_path(client)}&acr_values={TWO_FACTOR}")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("再次确认是您本人")
    return citizen


@SCRIPTS
def test_an_app_asks_for_more_and_gets_it(live: Live, visit: Visit, app: App, scripts: bool):
    client, answers = app
    visitor = visit(java_script_enabled=scripts, width=320)
    citizen = asked(live, visitor, client)
    visitor.page.fill("#code", pyotp.TOTP(citizen["totp_secret"]).now())
    visitor.submit()
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["code"]


def test_a_code_comes_by_sms(live: Live, visit: Visit, app: App):
    client, answers = app
    visitor = visit()
    asked(live, visitor, client)
    before = len(messages(live))
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="发送短信验证码").click()
    visitor.assert_sound()
    new = messages(live)[before:]
    assert [set(message) >= {"to", "code", "at"} for message in new] == [True]
    visitor.page.fill("#code", new[0]["code"])
    visitor.submit()
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["code"]


def test_somebody_goes_back_to_the_app_without(live: Live, visit: Visit, app: App):
    client, answers = app
    visitor = visit()
    asked(live, visitor, client)
    visitor.page.get_by_role("button", name="不验证，返回应用").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["error"] == "unmet_authentication_requirements"
