"""A mandate from its offer to its end: on the pages, over the API, and in every token that rests on it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from idservice.login.levels import TWO_FACTOR
from idservice.models import LoginSession, Mandate, TokenFamily
from idservice.oauth import clients
from idservice.register import people, representatives
from idservice.register.grants_rules import Role
from tests.identity import CALLBACK, SECRET, Browser, Flow, basic, bearer, claims_of, redeem, token
from tests.town import AGENT, ALICE, BOB, COMPANY, MATTER, STRANGER, Town, type_of

SCOPE = "openid profile offline_access mandates.manage licences.read licences.show accesses.read consents.manage"
LAST_DAY = f"{datetime.now(UTC) + timedelta(days=200):%Y-%m-%d}"
_FAMILIES = select(TokenFamily.revoked_for).where(TokenFamily.mandate_id == bindparam("mandate"))


@pytest.fixture(scope="module")
def firm(town: Town) -> Town:
    """The town, where Alice leads the company and an app manages mandates."""

    def prepare(call: Any) -> None:
        representatives.change_representative(call, town.subjects[COMPANY], town.subjects[ALICE])
        clients.register(
            call, client_id="deeds", name="授权管理", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code", "refresh_token"], scope=SCOPE, redirect_uris=[CALLBACK],
        )  # fmt: skip

    town.act(prepare)
    return town


def head_of(firm: Town, number: str = ALICE) -> str:
    found = firm.act(lambda call: call.session.query(Mandate).filter_by(subject=firm.subjects[number]).all())
    return next(
        m.mandate_id for m in found if m.role in {Role.LEGAL_REPRESENTATIVE, Role.ADMINISTRATOR} and not m.withdrawn_at
    )


def at_home(firm: Town, number: str) -> Browser:
    """A browser in which that person is logged in, with nothing unusual about it."""
    browser = firm.browser(number)
    firm.act(lambda call: call.session.execute(update(LoginSession).values(signals=None)))
    return browser


def log_in(firm: Town, number: str, acting: str = "self", *, unusual: bool = False) -> dict[str, str]:
    """Log in to the app, as a rule with nothing unusual about it."""
    flow = Flow("deeds", SCOPE)
    answer = redeem(firm.app, flow, Browser(firm.app).code(flow, number=number, acting=acting))
    assert answer.status_code == 200, answer.text
    if not unusual:
        firm.act(lambda call: call.session.execute(update(TokenFamily).values(signals=None)))
    return answer.json  # type: ignore[no-any-return]


def api(firm: Town, number: str, acting: str = "self") -> Callable[..., Any]:
    key = ("deeds", number, acting)
    if key not in firm._tokens:
        firm._tokens[key] = bearer(log_in(firm, number, acting)["access_token"])
    header = firm._tokens[key]

    def ask(path: str, body: Any = None) -> Any:
        return firm.web.post(path, json=body, headers=header) if body else firm.web.get(path, headers=header)

    return ask


def wanted(number: str = BOB, name: str = "赵大海", **more: Any) -> dict[str, Any]:
    return {"person": {"number": number, "name": name}, "role": "agent", "valid_until": LAST_DAY, **more}


def grant(firm: Town, **more: Any) -> str:
    """Let Alice grant Bob a mandate of the company over the API, and Bob accept it."""
    answer = api(firm, ALICE, head_of(firm))("/v1/mandates", wanted(**more))
    assert answer.status_code == 201, answer.text
    mandate_id = str(answer.json["id"])
    taken = api(firm, BOB)(f"/v1/mandates/{mandate_id}/changes", {"change": "accept"})
    assert (taken.status_code, taken.json["state"]) == (201, "in_force")
    return mandate_id


def form_with(text: str, name: str) -> dict[str, str]:
    """The values of the hidden fields of the first form that holds a control of that name."""
    form = next(part for part in text.split("<form")[1:] if f'name="{name}"' in part).partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


def test_the_pages_from_offer_to_withdrawal(firm: Town) -> None:
    head, browser = head_of(firm), at_home(firm, ALICE)
    page = browser.open(f"/me/mandates/new?by={head}")
    assert page.status == 200
    values = {"number": BOB, "name": "赵大海", "role": "agent", "valid_until": LAST_DAY, "matters": MATTER}
    page = browser.submit(page, **values)
    assert page.status == 200
    assert "赵大海" in page.text
    assert BOB[:3] + "***********" + BOB[-4:] in page.text
    assert f'name="matters" value="{MATTER}"' in page.text
    page = browser.open("/me/mandates/new", {**form_with(page.text, "confirmed"), "confirmed": "yes"})
    assert (page.url, page.status) == ("/me/mandates?done=offer", 200)
    assert "等待对方接受" in page.text
    assert BOB not in page.text

    other = firm.browser(BOB)
    page = other.open("/me/mandates")
    (offered,) = re.findall(r'value="(accept\.[0-9a-f]{32})"', page.text)
    page = other.open("/me/mandates", {**form_with(page.text, "change"), "change": offered})
    assert page.url == "/me/mandates?done=accept"
    assert "生效中" in page.text

    page = browser.open("/me/mandates")
    mandate_id = offered.partition(".")[2]
    form = {**form_with(page.text, "by"), "by": head, "change": f"withdraw.{mandate_id}"}
    assert browser.open("/me/mandates", form).url == "/me/mandates?done=withdraw"
    assert "已撤销" in other.open("/me/mandates").text


def test_an_unusual_login_grants_nothing_without_a_second_factor_over_the_api_either(firm: Town) -> None:
    got = log_in(firm, ALICE, head_of(firm), unusual=True)
    for access_token in (got["access_token"], refreshed(firm, got["refresh_token"])):
        refused = firm.web.post("/v1/mandates", json=wanted(), headers=bearer(access_token))
        assert (refused.status_code, refused.json["code"]) == (401, "insufficient_user_authentication")
        assert TWO_FACTOR in refused.headers["WWW-Authenticate"]
    assert firm.browser(ALICE).open("/me/mandates/new").url.startswith("/login/second"), "as on the page"
    firm.act(lambda call: call.session.execute(update(TokenFamily).values(amr=["pwd", "otp", "mfa"])))
    granted = firm.web.post("/v1/mandates", json=wanted(), headers=bearer(got["access_token"]))
    assert granted.status_code == 201, granted.text


def refreshed(firm: Town, refresh_token: str) -> str:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return str(token(firm.app, form, basic("deeds")).json["access_token"])


def test_a_form_with_mistakes_says_which(firm: Town) -> None:
    browser = at_home(firm, ALICE)
    page = browser.submit(
        browser.open(f"/me/mandates/new?by={head_of(firm)}"), number="1", name="", role="agent", valid_until=LAST_DAY
    )
    assert page.status == 422
    assert "公民身份号码不正确" in page.text
    page = browser.submit(page, number=BOB, name="赵大海", role="", valid_until="tomorrow")
    assert (page.status, "请填写日期" in page.text) == (422, True)
    assert browser.open("/me/mandates/new?by=" + "0" * 32).status == 403
    assert browser.open("/me/mandates", {**form_with(page.text, "by"), "change": "x"}).status == 400


def test_the_answer_is_the_same_for_a_number_nobody_bears(firm: Town) -> None:
    ask = api(firm, ALICE, head_of(firm))
    real, inert, other = (
        ask("/v1/mandates", wanted(*who)) for who in ((BOB, "赵大海"), (STRANGER, "赵大海"), (AGENT, "赵大海"))
    )
    for answer in (real, inert, other):
        assert (answer.status_code, answer.json["state"], answer.json["person"]["name"]) == (201, "offered", "赵**")
        answer.json.pop("id")
    listed = ask("/v1/mandates?direction=given").json
    assert sum(item["state"] == "offered" for item in listed["items"]) >= 3
    assert STRANGER not in str(listed)


def test_withdrawal_ends_tokens_at_once(firm: Town) -> None:
    mandate_id = grant(firm)
    tokens = log_in(firm, BOB, mandate_id)
    claims = claims_of(tokens["access_token"])
    assert claims["act"]["sub"] != claims["sub"]
    read = bearer(tokens["access_token"])
    assert firm.web.get("/v1/licences", headers=read).status_code == 200
    answer = api(firm, ALICE, head_of(firm))(f"/v1/mandates/{mandate_id}/changes", {"change": "withdraw"})
    assert (answer.status_code, answer.json["state"]) == (201, "withdrawn")
    assert firm.web.get("/v1/licences", headers=read).status_code == 401
    assert not token(firm.app, {"token": tokens["access_token"]}, basic("deeds"), "/oauth/introspect").json["active"]
    rows = firm.act(lambda call: call.session.execute(_FAMILIES, {"mandate": mandate_id}).scalars().all())
    assert rows == ["mandate_withdrawn"]


def test_a_mandate_limited_to_a_type_reaches_nothing_else(firm: Town) -> None:
    seen = firm.issue("business_licence", COMPANY).identifier
    hidden = firm.issue("food_permit", COMPANY).identifier
    mandate_id = grant(firm, licence_types=[type_of("business_licence").code])
    ask = api(firm, BOB, mandate_id)
    types = {item["identifier"] for item in ask("/v1/licences").json["items"]}
    assert seen in types
    assert hidden not in types
    assert ask(f"/v1/licences/{seen}").status_code == 200
    assert ask(f"/v1/licences/{hidden}").status_code == 404
    assert ask("/v1/presentations", {"licences": [seen]}).status_code == 201
    assert ask("/v1/presentations", {"licences": [seen, hidden]}).status_code == 404


def test_a_mandate_limited_to_a_matter_shows_for_that_alone(firm: Town) -> None:
    licence = firm.issue("real_estate_title", COMPANY).identifier
    mandate_id = grant(firm, matters=[MATTER])
    ask = api(firm, BOB, mandate_id)
    assert ask("/v1/presentations", {"licences": [licence]}).status_code == 403
    assert ask("/v1/presentations", {"matter": MATTER}).status_code == 404, "the company holds none that it needs"


def test_the_companys_record_names_who_acted(firm: Town) -> None:
    licence = firm.issue("road_transport_permit", COMPANY).identifier
    assert api(firm, BOB, grant(firm))(f"/v1/licences/{licence}").status_code == 200
    items = api(firm, ALICE, head_of(firm))("/v1/accesses").json["items"]
    assert {"赵**"} <= {item["acting"] for item in items}
    assert all(item["acting"] is None for item in api(firm, BOB)("/v1/accesses").json["items"])


def test_an_app_that_acts_for_the_company_learns_nothing_of_the_persons_own_mandates(firm: Town) -> None:
    ask = api(firm, ALICE, head_of(firm))
    assert ask("/v1/mandates").status_code == 403
    assert api(firm, BOB, grant(firm))("/v1/mandates?direction=given").status_code == 403, "an agent grants nothing"


def test_a_proxy_logs_in_for_a_person_and_both_are_told_apart(firm: Town) -> None:
    ask = api(firm, BOB)
    answer = ask("/v1/mandates", wanted(ALICE, "王小明", role="proxy"))
    assert answer.status_code == 201, answer.text
    mandate_id = answer.json["id"]
    assert api(firm, ALICE)(f"/v1/mandates/{mandate_id}/changes", {"change": "accept"}).status_code == 201
    flow = Flow("deeds", SCOPE)
    browser = firm.browser(ALICE)
    page = browser.open(flow.url())
    assert "赵**" in page.text
    assert "代办人" in page.text
    tokens = log_in(firm, ALICE, mandate_id)
    assert "act" in claims_of(tokens["access_token"])
    known = firm.web.get("/oauth/userinfo", headers=bearer(tokens["access_token"])).json
    assert known["name"] == "赵大海"
    held = firm.issue("resident_card", BOB).identifier
    listed = firm.web.get("/v1/licences", headers=bearer(tokens["access_token"])).json["items"]
    assert held in {item["identifier"] for item in listed}
    assert ask(f"/v1/mandates/{mandate_id}/changes", {"change": "withdraw"}).status_code == 201
    assert firm.web.get("/v1/licences", headers=bearer(tokens["access_token"])).status_code == 401


def test_a_new_legal_representative_suspends_the_old_ones_grants(firm: Town) -> None:
    mandate_id = grant(firm)
    tokens = log_in(firm, BOB, mandate_id)
    leader = firm.act(lambda call: people.find(call, AGENT))
    firm.act(lambda call: representatives.change_representative(call, firm.subjects[COMPANY], leader))
    assert firm.web.get("/v1/licences", headers=bearer(tokens["access_token"])).status_code == 401
    received = {item["id"]: item["state"] for item in api(firm, BOB)("/v1/mandates").json["items"]}
    assert received[mandate_id] == "suspended"
    browser = at_home(firm, AGENT)
    page = browser.open("/me/mandates")
    form = {**form_with(page.text, "by"), "by": head_of(firm, AGENT), "change": f"confirm.{mandate_id}"}
    assert browser.open("/me/mandates", form).url == "/me/mandates?done=confirm"
    assert log_in(firm, BOB, mandate_id)["access_token"]
    firm.act(lambda call: representatives.change_representative(call, firm.subjects[COMPANY], firm.subjects[ALICE]))
