"""A citizen sees what goes out as verified, and keeps receipts of what he allowed, in Chromium on a telephone."""

import json
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import expect

from idservice.oauth import consent_receipt
from keys.jwk import parse_set
from tests.browser.conftest import App, Visit
from tests.browser.live import Live

VERIFIED = {
    "verification": {"trust_framework": None, "evidence": [{"type": {"value": "electronic_record"}}]},
    "claims": {"name": None, "birthdate": None},
}


def test_citizen_sees_what_goes_out_as_verified(live: Live, visit: Visit, app: App):
    client, _answers = app
    claims = quote(json.dumps({"userinfo": {"verified_claims": VERIFIED}}))
    visitor = visit(width=320)
    visitor.log_in(live.stranger(), f"{live.authorize_path(client, 'openid verified')}&claims={claims}")
    for words in ("姓名（经核实）", "出生日期（经核实）", "-**-**", "核实的依据", "人口库", "经核实的身份信息"):
        expect(visitor.page.locator("main")).to_contain_text(words)
    visitor.assert_sound(320, 1280)


def test_citizen_downloads_the_receipts_of_a_consent_and_its_withdrawal(
    live: Live, visit: Visit, app: App, tmp_path: Path
):
    client, _answers = app
    visitor = visit(width=320)
    visitor.log_in(live.stranger(), live.authorize_path(client))
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")

    visitor.open("/me/apps")
    visitor.assert_sound(320, 1280)
    page = visitor.page
    with page.expect_download() as saving:
        page.get_by_role("link", name="的同意凭证").click()
    saving.value.save_as(tmp_path / "given.jwt")
    page.get_by_role("button", name="收回").click()
    expect(page.locator("main")).to_contain_text("您还没有授权任何应用。")
    newest = page.locator(".ona-log__entry").first
    expect(newest).to_contain_text("已收回")
    visitor.assert_sound()
    with page.expect_download() as saving:
        newest.get_by_role("link").click()
    saving.value.save_as(tmp_path / "withdrawn.jwt")

    metadata = visitor.context.request.get(live.url + "/.well-known/openid-configuration").json()
    keys = parse_set(visitor.context.request.get(metadata["consent_receipt_jwks_uri"]).json())
    given, withdrawn = (
        consent_receipt.verify((tmp_path / name).read_text(), keys=keys, issuer=live.url)
        for name in ("given.jwt", "withdrawn.jwt")
    )
    assert given.ok
    assert withdrawn.ok
    assert withdrawn.claims["event"]["withdraws"] == given.claims["jti"]
    assert given.claims["pii_controller"]["party_id"] == client["client_id"]
