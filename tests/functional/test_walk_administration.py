"""Administrators at work, on the pages and over the API: what one asks for, another decides."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.models import LoginSession, TokenFamily
from idservice.oauth import clients
from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    COMPANY,
    OFFLINE,
    PASSWORD,
    SECRET,
    STRANGER,
    Browser,
    City,
    Flow,
    basic,
    bearer,
    citizen_number,
    is_alive,
    logged_in,
    redeem,
    refresh,
    token,
)

STAFF = {role: citizen_number(f"3716021980010{place}001") for place, role in enumerate(Role, 1)}
TWO_FACTORS = {"amr": ["pwd", "otp", "mfa"], "level": 3}


@pytest.fixture(scope="module")
def office(city: City) -> City:
    """The city with one administrator of each role, and an app for them."""
    from idservice.login.password import set_password
    from idservice.register import people
    from tests.builders import act

    def prepare(call: Any) -> None:
        for role, number in STAFF.items():
            subject = people.enrol(call, number=number, name="钱管理", level=3)
            set_password(call, subject, PASSWORD)
            roles.give(call, subject, role)
        clients.register(
            call, client_id="console", name="管理台", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid admin.manage", redirect_uris=[CALLBACK],
        )  # fmt: skip

    act(city.house, prepare)
    return city


def do(office: City, statement: Any) -> None:
    office.house.database.run(lambda session: session.execute(statement), write=True)


def browser(office: City, number: str, *, second_factor: bool = True) -> Browser:
    """A browser in which that person is logged in, with two factors or one."""
    found = office.browser()
    found.log_in(number=number)
    if second_factor:
        do(office, update(LoginSession).values(**TWO_FACTORS))
    return found


_headers: dict[tuple[int, str], dict[str, str]] = {}


def api(office: City, number: str, *, second_factor: bool = True) -> Callable[..., Any]:
    key = (id(office), number)
    if key not in _headers:
        flow = Flow("console", "openid admin.manage")
        _headers[key] = bearer(
            redeem(office.app, flow, office.browser().code(flow, number=number)).json["access_token"]
        )
    do(office, update(TokenFamily).values(**TWO_FACTORS if second_factor else {"amr": ["pwd"], "level": 3}))
    web = office.app.test_client()

    def ask(path: str, body: Any = None) -> Any:
        path = f"/v1/admin{path}"
        return web.post(path, json=body, headers=_headers[key]) if body else web.get(path, headers=_headers[key])

    return ask


def form(text: str, **values: str) -> dict[str, str]:
    """The token of a page's forms with the values that somebody enters."""
    (found, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', text)
    return {"csrf_token": found, **values}


APP = {
    "name": "新应用", "unit": "示范单位", "auth_method": "client_secret_basic", "grant_types": ["client_credentials"],
    "scope": "matters.read",
}  # fmt: skip


def test_an_app_over_the_api_from_request_to_disabling(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    asked = system("/clients", APP)
    assert (asked.status_code, asked.json["state"]) == (201, "waiting"), asked.text
    client_id, secret = asked.json["client_id"], asked.json["client_secret"]
    grant = {"grant_type": "client_credentials"}
    assert token(office.app, grant, basic(client_id, secret)).status_code == 401
    (waiting,) = security("/approvals").json["items"]
    assert waiting["id"] == asked.json["request"]
    assert secret not in json.dumps(waiting)
    path = f"/approvals/{waiting['id']}/decisions"
    assert system(path, {"decision": "approve"}).json["code"] == "forbidden"
    done = security(path, {"decision": "approve"})
    assert (done.status_code, done.json["state"]) == (201, "approved"), done.text
    assert token(office.app, grant, basic(client_id, secret)).status_code == 200

    rotated = system(f"/clients/{client_id}/changes", {"change": "rotate_secret", "overlap_hours": 1}).json
    assert security(f"/approvals/{rotated['request']}/decisions", {"decision": "approve"}).status_code == 201
    for known in (secret, rotated["client_secret"]):
        assert token(office.app, grant, basic(client_id, known)).status_code == 200

    wider = system(f"/clients/{client_id}/changes", {"change": "widen_scope", "scope": "lookups.create"}).json
    assert security(f"/approvals/{wider['request']}/decisions", {"decision": "refuse"}).json["state"] == "refused"
    listed = {item["client_id"]: item for item in system("/clients").json["items"]}
    assert listed[client_id]["scope"] == "matters.read"
    assert "secret_hash" not in listed[client_id]

    assert system(f"/clients/{client_id}/changes", {"change": "disable"}).json["state"] == "done"
    assert token(office.app, grant, basic(client_id, secret)).status_code == 401
    page = system("/clients?limit=2").json
    assert len(page["items"]) == 2
    assert system(f"/clients?limit=2&cursor={page['next_cursor']}").json["items"][0]["client_id"] > page["next_cursor"]


def test_the_settings_of_an_app_over_the_api(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    asked = system("/clients", APP | {"client_id": "settled", "scope": "matters.read lookups.create"})
    assert security(f"/approvals/{asked.json['request']}/decisions", {"decision": "approve"}).status_code == 201
    held = system("/clients/settled/settings").json
    assert (held["scope"], held["policy"]["actor"]) == ("matters.read lookups.create", None)
    less = system("/clients/settled/changes", {"change": "settings", "settings": {"scope": "matters.read"}})
    assert (less.status_code, less.json["state"]) == (201, "done"), less.text
    stated = {"policy": {"actor": "console"}, "grant_types": ["client_credentials"]}
    asked = system("/clients/settled/changes", {"change": "settings", "settings": stated})
    assert asked.json["state"] == "waiting", asked.text
    (waiting,) = [item for item in security("/approvals").json["items"] if item["id"] == asked.json["request"]]
    assert waiting["facts"]["before"]["policy"]["actor"] is None
    assert waiting["facts"]["settings"]["policy"]["actor"] == "console"
    assert security(f"/approvals/{waiting['id']}/decisions", {"decision": "approve"}).json["state"] == "approved"
    held = system("/clients/settled/settings").json
    assert (held["scope"], held["policy"]["actor"]) == ("matters.read", "console")
    wrong = system("/clients/settled/changes", {"change": "settings", "settings": {"profile": "fapi2"}})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/settings")
    assert system("/clients/settled/changes", {"change": "settings"}).json["errors"][0]["pointer"] == "/settings"


def test_the_settings_of_an_app_on_the_pages(office: City) -> None:
    system, security = browser(office, STAFF[Role.SYSTEM]), browser(office, STAFF[Role.SECURITY])
    path = "/admin/clients/console/settings"
    assert path in system.open("/admin/clients/console").text
    page = system.open(path)
    assert "&#34;redirect_uris&#34;" in page.text
    wrong = system.open(path, form(page.text, settings='{"scope": 3}'))
    assert (wrong.status, "请先改正以下问题" in wrong.text) == (422, True)
    done = system.open(path, form(page.text, settings='{"post_logout_redirect_uris": ["https://console.example.cn/"]}'))
    assert done.url == "/admin/clients/console?done=asked"
    page = security.open("/admin/approvals")
    assert "- → https://console.example.cn/" in page.text
    (button,) = re.findall(r'value="(approve\.[0-9a-f]{32})"', page.text)
    security.open("/admin/approvals", form(page.text, decision=button))
    page = system.open(path)
    assert "https://console.example.cn/" in page.text
    done = system.open(path, form(page.text, settings='{"post_logout_redirect_uris": []}'))
    assert done.url == "/admin/clients/console?done=done"
    assert security.open(path).status == 403


@pytest.mark.parametrize("path", ["/clients", "/approvals", "/audit-entries"])
def test_without_a_second_factor_or_a_role_nothing_opens(office: City, path: str) -> None:
    refused = api(office, STAFF[Role.AUDIT], second_factor=False)(path)
    assert (refused.status_code, refused.json["code"]) == (401, "insufficient_user_authentication")
    assert 'acr_values="urn:ona:acr:two-factor"' in refused.headers["WWW-Authenticate"]
    assert api(office, ALICE)(path).status_code == 403
    machine = office.app.test_client().get(f"/v1/admin{path}", headers=basic("counter"))
    assert machine.status_code == 401


def test_people_are_found_by_whole_number_alone_and_locked_by_two(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    found = system("/searches", {"number": ALICE}).json
    assert (found["name"], found["number"], found["status"]) == (
        "王**",
        ALICE[:3] + "***********" + ALICE[-4:],
        "active",
    )
    missing = [system("/searches", {"number": number}) for number in (STRANGER, ALICE[:17], "%")]
    assert {answer.status_code for answer in missing} == {404}
    assert len({answer.json["detail"] for answer in missing}) == 1
    visitor = office.browser()
    visitor.log_in()
    for change, open_page in (("disable", False), ("enable", False)):
        asked = system(f"/people/{found['subject']}/changes", {"change": change}).json
        assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).status_code == 201
        assert ("/login" not in visitor.open("/me/apps").url) is open_page, "his session stays ended"
    visitor.log_in()
    assert "平台管理" in visitor.open("/me/accesses").text or "administration" in visitor.open("/me/accesses").text


def test_a_person_is_confirmed_at_the_counter_by_two(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    path = f"/people/{office.agent}/changes"
    assert security(path, {"change": "confirm"}).status_code == 403
    asked = system(path, {"change": "confirm"})
    assert (asked.status_code, asked.json["state"]) == (201, "waiting")
    approved = security(f"/approvals/{asked.json['request']}/decisions", {"decision": "approve"})
    assert approved.status_code == 201, approved.text
    assert system("/searches", {"number": AGENT}).json["level"] == 4
    assert system(path, {"change": "confirm"}).status_code == 409


def test_roles_are_given_by_two_and_never_a_second_one(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    agent = system("/searches", {"number": AGENT}).json["subject"]
    assert system(f"/people/{agent}/changes", {"change": "give_role", "role": "audit"}).status_code == 403
    assert security(f"/people/{agent}/changes", {"change": "give_role"}).json["errors"][0]["pointer"] == "/role"
    asked = security(f"/people/{agent}/changes", {"change": "give_role", "role": "audit"}).json
    decisions = f"/approvals/{asked['request']}/decisions"
    assert security(decisions, {"decision": "approve"}).json["code"] == "second_person"
    assert system(decisions, {"decision": "approve"}).json["state"] == "approved"
    again = security(f"/people/{agent}/changes", {"change": "give_role", "role": "system"})
    assert again.json["code"] == "role_taken"
    asked = security(f"/people/{agent}/changes", {"change": "take_role"}).json
    assert asked["state"] == "waiting"
    decisions = f"/approvals/{asked['request']}/decisions"
    assert security(decisions, {"decision": "approve"}).json["code"] == "second_person"
    assert system(decisions, {"decision": "approve"}).json["state"] == "approved"
    own = security("/searches", {"number": STAFF[Role.SECURITY]}).json["subject"]
    assert security(f"/people/{own}/changes", {"change": "take_role"}).json["code"] == "conflict", "nobody else has it"


def test_an_organisation_is_stopped_by_two_and_nobody_acts_for_it(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    got = logged_in(office, Flow(scope=OFFLINE), number=AGENT, acting=office.mandate)
    own = logged_in(office, Flow(scope=OFFLINE), number=AGENT)
    subject = system("/searches", {"number": COMPANY}).json["subject"]

    def change(what: str) -> None:
        asked = system(f"/organisations/{subject}/changes", {"change": what}).json
        (waiting,) = [item for item in security("/approvals").json["items"] if item["id"] == asked["request"]]
        assert waiting["facts"] == {"organisation": "滨州示范食品有限公司"}
        assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).status_code == 201

    assert is_alive(office, got)
    change("disable")
    assert system("/searches", {"number": COMPANY}).json["status"] == "locked"
    assert not is_alive(office, got)
    assert refresh(office, got["refresh_token"]).status_code == 400
    assert is_alive(office, own), "what he does for himself goes on"
    change("enable")
    assert not is_alive(office, got), "what has ended stays so"
    assert is_alive(office, logged_in(office, Flow(scope=OFFLINE), number=AGENT, acting=office.mandate))
    assert system(f"/organisations/{office.alice}/changes", {"change": "disable"}).status_code == 404


def test_a_mandate_is_revoked_and_a_guardian_refused_over_the_api(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    company = system("/searches", {"number": COMPANY}).json
    (held,) = [item for item in company["mandates"] if item["id"] == office.mandate]
    asked = system("/mandate-revocations", {"subject": office.agent, "mandate": held["id"]}).json
    assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).status_code == 201
    assert system("/searches", {"number": COMPANY}).json["mandates"][0]["state"] == "withdrawn"
    refused = system("/guardianships", {"minor": ALICE, "guardian": AGENT})
    assert refused.json["errors"][0] == {"pointer": "/minor", "code": "age", "message": "of the wrong age for this"}


def test_the_audit_administrator_reads_the_log_and_nobody_else(office: City) -> None:
    entries = api(office, STAFF[Role.AUDIT])("/audit-entries?limit=200").json["items"]
    deeds = {entry["deed"] for entry in entries}
    assert "idservice:admin_request:approve" in deeds or "idservice:administrator:give_role" in deeds
    assert api(office, STAFF[Role.SYSTEM])("/audit-entries").status_code == 403
    assert api(office, STAFF[Role.AUDIT])("/searches", {"number": ALICE}).status_code == 403


def test_the_pages_from_a_new_app_to_its_approval(office: City) -> None:
    system, security = browser(office, STAFF[Role.SYSTEM]), browser(office, STAFF[Role.SECURITY])
    page = system.open("/admin/clients/new")
    assert page.status == 200
    page = system.open("/admin/clients/new", form(page.text, name="窗口应用"))
    assert (page.status, "请先改正以下问题" in page.text) == (422, True)
    entered = form(
        page.text, name="窗口应用", unit="示范单位", client_id="window", auth_method="client_secret_basic",
        grant_types="client_credentials", scope="matters.read",
    )  # fmt: skip
    page = system.open("/admin/clients/new", entered)
    (secret,) = re.findall(r"<code>([A-Za-z0-9_-]{43})</code>", page.text)
    page = security.open("/admin/overview")
    assert "1 项申请等您复核" in page.text
    page = security.open("/admin/approvals")
    (button,) = re.findall(r'value="(approve\.[0-9a-f]{32})"', page.text)
    assert secret not in page.text
    assert "approve." not in system.open("/admin/approvals").text, "not to whoever asked"
    page = security.open("/admin/approvals", form(page.text, decision=button))
    assert page.url == "/admin/approvals?done=approve"
    assert token(office.app, {"grant_type": "client_credentials"}, basic("window", secret)).status_code == 200
    page = system.open("/admin/clients/window")
    assert "窗口应用" in page.text
    page = system.open("/admin/clients/window", form(page.text, change="rotate_secret"))
    assert "密钥只在这里显示一次" in page.text
    page = system.open("/admin/approvals")
    (own,) = re.findall(r'value="(withdraw\.[0-9a-f]{32})"', page.text)
    assert system.open("/admin/approvals", form(page.text, decision=own)).url == "/admin/approvals?done=withdraw"
    page = system.open("/admin/clients/window", form(page.text, change="disable"))
    assert page.url == "/admin/clients/window?done=done"


def test_the_pages_of_people_organisations_and_guardians(office: City) -> None:
    system, security = browser(office, STAFF[Role.SYSTEM]), browser(office, STAFF[Role.SECURITY])
    for kind, number, name in (("people", ALICE, "王**"), ("organisations", COMPANY, "滨州示范食品有限公司")):
        page = system.open(f"/admin/{kind}")
        missing = system.open(f"/admin/{kind}", form(page.text, number=STRANGER))
        assert (missing.status, "未找到" in missing.text) == (404, True)
        page = system.open(f"/admin/{kind}", form(page.text, number=number))
        assert page.status == 200
        assert name in page.text
        assert ALICE not in page.text + page.url
        if kind == "organisations":
            assert "申请停用单位" in page.text
            assert system.open(page.url, form(page.text, change="disable")).url.endswith("?done=asked")
            assert "停用单位" in security.open("/admin/approvals").text
    page = system.open(f"/admin/people/{office.alice}")
    page = system.open(f"/admin/people/{office.alice}", form(page.text, change="confirm"))
    assert page.url.endswith("?done=asked")
    page = system.open(f"/admin/people/{office.alice}")
    page = system.open(f"/admin/people/{office.alice}", form(page.text, change="disable"))
    assert page.url.endswith("?done=asked")
    page = security.open(f"/admin/people/{office.alice}")
    page = security.open(f"/admin/people/{office.alice}", form(page.text, change="give_role", role="audit"))
    assert page.url.endswith("?done=asked")
    own = security.open("/admin/people", form(page.text, number=STAFF[Role.SECURITY]))
    assert "放弃本人的管理角色" in own.text
    assert security.open(own.url, form(own.text, change="take_role")).status == 409, "nobody else holds it"
    page = system.open("/admin/guardianships")
    page = system.open("/admin/guardianships", form(page.text, minor=STRANGER, guardian=ALICE))
    assert (page.status, "没有登记这个号码" in page.text) == (422, True)
    assert system.open("/admin/people/" + "0" * 32).status == 404
    assert system.open("/admin/people", form(page.text, number="")).status == 404


def test_the_pages_send_whoever_has_one_factor_to_prove_a_second(office: City) -> None:
    once = office.browser()
    once.log_in(number=STAFF[Role.AUDIT])
    do(office, update(LoginSession).values(amr=["pwd"]))
    assert "/login/second" in once.open("/admin/audit").url
    do(office, update(LoginSession).values(**TWO_FACTORS))
    page = once.open("/admin/audit")
    assert (page.status, "审计记录" in page.text) == (200, True)
    assert once.open("/admin/people").status == 403
    citizen = browser(office, ALICE)
    for path in ("/admin/overview", "/admin/clients", "/admin/people", "/admin/approvals", "/admin/audit"):
        assert citizen.open(path).status == 403


def test_the_first_administrators_are_appointed_by_the_operator(office: City) -> None:
    runner = office.app.test_cli_runner()

    def entered(number: str, *arguments: str) -> tuple[int, str]:
        done = runner.invoke(args=["admin", *arguments], input=io.StringIO(number + "\n").read())
        return done.exit_code, done.stdout + done.stderr

    def appoint(role: str, number: str) -> tuple[int, str]:
        return entered(number, "appoint", role)

    assert appoint("system", AGENT)[0] == 0
    status, told = appoint("audit", AGENT)
    assert (status, "三员不得兼任" in told, AGENT in told) == (1, True, False)
    assert appoint("audit", COMPANY)[0] == 1
    assert appoint("audit", STRANGER)[0] == 1
    listed = json.loads(runner.invoke(args=["admin", "list", "--json"]).stdout)["items"]
    assert sorted(one["role"] for one in listed) == ["audit", "security", "system", "system"]
    assert "system" in runner.invoke(args=["admin", "list"]).stdout
    assert [entered(AGENT, "dismiss")[0] for _ in range(2)] == [0, 1]
    assert len(json.loads(runner.invoke(args=["admin", "list", "--json"]).stdout)["items"]) == 3
